import { defineConfig } from 'vitest/config';

// Real time: a demo call lasts as long as it lasts, and two cores may be busy recognising it.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    // A machine that is busy with something else may be late once; what is broken is broken twice.
    retry: 1,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
