import type { DigestState } from '../digest/digest.ts';

/** How far a copy is for certain: every byte below the mark is durable at the destination, and the digest is that far too. */
export interface Checkpoint {
  readonly settledBytes: number;
  readonly digest: DigestState;
}
