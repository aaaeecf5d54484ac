import { defineConfig } from 'vitest/config';

/** The drivers against the storage systems themselves. What is not installed is said, and skipped. */
export default defineConfig({
  test: {
    include: ['test/backends/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { TEST_DEADLINE_MS: '170000' },
    pool: 'forks',
    // each file brings its own storage system up, which takes all there is of the machine
    fileParallelism: false,
    sequence: { shuffle: false },
  },
});
