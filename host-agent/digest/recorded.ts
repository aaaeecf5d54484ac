import type { Digest } from './digest.ts';

/** Hears of every leaf that goes into a digest, in address order. */
export interface LeafSink {
  chunk(leaf: Buffer): void;
  zeroes(count: number): void;
}

export const recorded = (digest: Digest, leaves: LeafSink): Digest => ({
  ...digest,
  get chunks() {
    return digest.chunks;
  },
  chunk(leaf) {
    digest.chunk(leaf);
    leaves.chunk(leaf);
  },
  zeroes(count) {
    digest.zeroes(count);
    leaves.zeroes(count);
  },
});
