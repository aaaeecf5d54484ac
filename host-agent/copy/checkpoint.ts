import type { DigestState } from '../digest/digest-state.ts';

/** How far a copy is for certain: every byte below the mark is durable at the destination, and the digest is that far too. */
export interface Checkpoint {
  /** The low-water mark in bytes of the volume. */
  readonly settledBytes: number;
  readonly digest: DigestState;
}
