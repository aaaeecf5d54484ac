import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // they need packages of the storage systems, and minutes: npm run test:backends
    exclude: ['test/backends/**'],
    // for what hangs: real processes take long where others work, too
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { shuffle: false },
  },
});
