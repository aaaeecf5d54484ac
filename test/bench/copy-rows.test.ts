import { describe, expect, it } from 'vitest';
import type { CopyCase } from '../../bench/copy/cases.ts';
import type { Contender } from '../../bench/copy/contenders/contender.ts';
import { copyRows, type Measured } from '../../bench/copy/measure/copy-rows.ts';
import { jsonOf } from '../../bench/copy/report/rows.ts';

const CASE: CopyCase = {
  kind: 'copy',
  name: 'dense-tcp-copy',
  content: 'dense',
  medium: 'tcp',
  verified: false,
  sizeMib: 2048,
};
const GIB = 1024 ** 3;

const contender = (name: string, side: Contender['side']): Contender => ({
  name,
  side,
  needs: [],
  needsDestination: false,
  steps: () => [],
});

const ran = (seconds: readonly number[], stdout = ''): Measured => ({
  runs: seconds.map((each) => ({ seconds: each, cpuSeconds: 4, stdout })),
  allocatedBytes: 2 * GIB,
});

const outcome = (digest: string | null): string =>
  JSON.stringify({ digests: [digest], bytesWritten: 1, peakRssMib: 60 });

describe('the rows of a case', () => {
  it("have each peer's ratio to ours, and the best one's in our own", () => {
    const measured = new Map([
      [contender('slow', 'peer'), ran([3, 9, 6])],
      [contender('quick', 'peer'), ran([1, 2, 3])],
      [contender('volmove', 'ours'), ran([5, 3, 4], outcome('0'.repeat(64)))],
    ]);

    const rows = copyRows(CASE, 2 * GIB, measured);

    expect(rows.map(({ contender: name, ratio }) => [name, ratio])).toEqual([
      ['slow', 1.5],
      ['quick', 0.5],
      ['volmove', 0.5],
    ]);
    expect(rows.map(({ cpuSecondsPerGib }) => cpuSecondsPerGib)).toEqual([2, 2, 2]);
  });

  it.each([
    [false, outcome('0'.repeat(64)), 'digest on'],
    [false, outcome(null), 'digest off'],
    [true, outcome('0'.repeat(64)), 'digest and read-back'],
  ])('say what else we did (verified: %s)', (verified, stdout, note) => {
    const measured = new Map([[contender('volmove', 'ours'), ran([1], stdout)]]);

    const rows = copyRows({ ...CASE, verified }, 2 * GIB, measured);

    expect(rows[0]?.note).toBe(note);
    expect(rows[0]?.ratio).toBeNull();
  });

  it('say how much we wrote to a destination that was retained', () => {
    const stdout = JSON.stringify({ digests: [null], bytesWritten: 20 * 1024 ** 2, peakRssMib: 60 });
    const measured = new Map([[contender('volmove', 'ours'), ran([1], stdout)]]);

    const rows = copyRows({ ...CASE, content: 'changed' }, 2 * GIB, measured);

    expect(rows[0]?.note).toBe('wrote 20 MiB');
  });

  it('are written with no more digits than they are worth', () => {
    const measured = new Map([[contender('quick', 'peer'), ran([1 / 3])]]);

    const [row] = copyRows(CASE, 2 * GIB, measured);

    expect(row && JSON.parse(jsonOf(row)).seconds.median).toBe(0.3333);
  });
});
