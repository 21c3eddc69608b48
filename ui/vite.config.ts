import { defineConfig } from 'vite';

// `npm run dev` shows the sources against a running service; the built files are served by the service itself.
const service = process.env.BACKCHANNEL_URL ?? 'http://127.0.0.1:8080';
const proxied = { target: service, changeOrigin: true, ws: true };

export default defineConfig({
  base: '/',
  // The file is /desktop.html, the address is /desktop; so with /knowledge and /chat.
  plugins: [
    {
      name: 'page-addresses',
      configureServer(server) {
        server.middlewares.use((request, _response, next) => {
          const path = request.url?.split('?')[0];
          if (path === '/floor/routing') request.url = '/floor-routing.html';
          if (path === '/desktop' || path === '/knowledge' || path === '/outbox' || path === '/chat') request.url = `${path}.html`;
          next();
        });
      },
    },
  ],
  server: {
    proxy: { '/v1': proxied, '/sign-in': proxied, '/sign-out': proxied },
  },
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    // The service's content policy allows no data: addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    // These versions know light-dark(), which tokens.css is built on; lower ones would get it rewritten.
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: 'index.html', desktop: 'desktop.html', knowledge: 'knowledge.html', outbox: 'outbox.html', 'floor-routing': 'floor-routing.html',
        chat: 'chat.html', 'chat-widget': 'src/widget/chat.ts',
      },
      output: {
        // Other people's pages name this file; it must not change its name with its content.
        entryFileNames: (chunk) => (chunk.name === 'chat-widget' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
