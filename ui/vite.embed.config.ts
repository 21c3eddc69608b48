import { defineConfig } from 'vite';

// `<backchannel-copilot>` for other sites' pages: one module with everything in it, under an address that stays.
export default defineConfig({
  // The page for frames stands beside the module.
  publicDir: 'embed/frame',
  build: {
    outDir: 'dist/embed',
    emptyOutDir: true,
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    lib: { entry: 'src/embed/copilot.ts', formats: ['es'], fileName: () => 'backchannel-copilot.js' },
    minify: true,
  },
});
