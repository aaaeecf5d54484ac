/** Where data lie in the volumes of the bench. Always the same for a size, so that every run measures the same. */
export interface Run {
  readonly offset: number;
  readonly lengthBytes: number;
}

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;

const BLOCK_BYTES = 4096;
const MIN_RUN_BYTES = 16 * 1024;
const MAX_RUN_BYTES = 8 * MIB;
const SEED = 20_261;

/** Numbers in [0, 1), the same sequence for the same seed (a multiplicative congruential generator; nothing here is secret). */
const numbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** A quarter of the volume, in runs from 16 KiB to 8 MiB: small ones are as frequent in each doubling as large ones. */
export const dataRuns = (sizeBytes: number): Run[] => {
  const next = numbers(SEED);
  const lengths: number[] = [];
  for (let left = Math.floor(sizeBytes / 4 / BLOCK_BYTES) * BLOCK_BYTES; left > 0; ) {
    const drawn = MIN_RUN_BYTES * (MAX_RUN_BYTES / MIN_RUN_BYTES) ** next();
    const length = Math.min(left, Math.floor(drawn / BLOCK_BYTES) * BLOCK_BYTES);
    lengths.push(length);
    left -= length;
  }
  // the holes are three times the runs' lengths, in reverse order, so that both vary and the share is exact
  const holes = lengths.toReversed().map((length) => length * 3);
  let at = 0;
  return lengths.map((lengthBytes, i) => {
    const offset = at + (holes[i] ?? 0);
    at = offset + lengthBytes;
    return { offset, lengthBytes };
  });
};

/** One chunk of 1 MiB in a hundred, one at the least, spread over the volume. */
export const changedChunks = (sizeBytes: number): number[] => {
  const chunks = Math.ceil(sizeBytes / MIB);
  const count = Math.max(1, Math.round(chunks / 100));
  const next = numbers(SEED);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + next()) * chunks) / count));
};

/** Runs of 1 MiB spread evenly over a volume that is nearly empty. */
export const scatteredRuns = (virtualBytes: number, dataBytes: number): Run[] => {
  const count = Math.ceil(dataBytes / MIB);
  const stride = Math.floor(virtualBytes / count / MIB) * MIB;
  return Array.from({ length: count }, (_, i) => ({ offset: i * stride, lengthBytes: MIB }));
};
