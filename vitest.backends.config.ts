import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest begins first, so that nobody waits for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): number => (moduleId.includes('scenario') ? 0 : 1);
    return files.toSorted((a, b) => isLong(a) - isLong(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** The drivers against the storage systems themselves. What is not installed is said, and skipped. */
export default defineConfig({
  test: {
    include: ['test/backends/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { TEST_DEADLINE_MS: '170000' },
    pool: 'forks',
    // each file brings its own storage system up; a guest has one processor
    maxWorkers: 2,
    // of the tests that may run beside each other, because they mostly wait
    maxConcurrency: 6,
    sequence: { shuffle: false, sequencer: LongestFirst },
  },
});
