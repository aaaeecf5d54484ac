import { defineConfig } from 'vitest/config';

/** What runs inside the guest: one processor, and a root of its own that is gone afterwards. */
export default defineConfig({
  root: new URL('../../..', import.meta.url).pathname,
  cacheDir: '/tmp/vitest-cache',
  test: {
    include: ['test/backends/**/*.guest.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // of those that may run beside each other, because they mostly wait
    maxConcurrency: 6,
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    fileParallelism: false,
    sequence: { shuffle: false },
  },
});
