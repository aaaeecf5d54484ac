import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:backends`
    exclude: ['test/backends/**', 'node_modules/**'],
    // for what hangs: real processes take long where others work, too
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { shuffle: false },
  },
});
