import { defineConfig } from 'vitest/config';

// Real time: a demo call lasts as long as it lasts, and two cores may be busy recognising it.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
