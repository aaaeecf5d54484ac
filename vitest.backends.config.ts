import { defineConfig } from 'vitest/config';

/** Suites on real backends: each starts what it needs and says what is missing. */
export default defineConfig({
  test: {
    include: ['test/backends/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { shuffle: false },
  },
});
