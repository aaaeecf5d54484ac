import { isZero } from './chunks.ts';

/**
 * Zeroes inside of a chunk, looked for in blocks of 64 KiB, which is what thin pools allocate at the least: a finer look would
 * cost requests and save no space.
 */
const BLOCK_BYTES = 64 * 1024;

export interface Run {
  readonly from: number;
  readonly end: number;
  readonly zero: boolean;
}

/** The chunk as runs of data and of zeroes in turn, in ascending order. */
export const runsOf = (chunk: Buffer): Run[] => {
  const runs: Run[] = [];
  for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
    const end = Math.min(chunk.length, from + BLOCK_BYTES);
    const zero = isZero(chunk.subarray(from, end));
    const last = runs.at(-1);
    if (last?.zero === zero) runs[runs.length - 1] = { ...last, end };
    else runs.push({ from, end, zero });
  }
  return runs;
};
