import type { NamedRanges } from '../../domain/byte-range.ts';
import { createDifferences } from './differences.ts';
import { hashesOfRanges } from './range-hash.ts';
import { CHUNK_BYTES, chunkCount, HASH_BYTES } from './tree-hash.ts';
import type { NodeReader } from './tree-layout.ts';

/**
 * What differs at the destination after a repair, told there without another look at the source. The source says which ranges
 * differed, and a hash for each as it ought to be; whatever did not differ before ought to be as it was.
 */
export interface AfterRepair {
  readonly before: NodeReader;
  readonly now: NodeReader;
  readonly repaired: NamedRanges;
  /** One for each of the repaired ranges. */
  readonly hashes: readonly string[];
  readonly signal?: AbortSignal;
}

const PIECE_CHUNKS = 4096;

export const stillDiffering = async (request: AfterRepair): Promise<NamedRanges> => {
  const { before, now, repaired, hashes, signal } = request;
  const { sizeBytes } = now;
  const total = chunkCount(sizeBytes);
  const differences = createDifferences(sizeBytes);
  const chunksOf = ({ fromByte, endByte }: NamedRanges['ranges'][number]) => ({
    first: fromByte / CHUNK_BYTES,
    end: Math.ceil(endByte / CHUNK_BYTES),
  });

  const present = await hashesOfRanges(now, repaired.ranges, signal);
  for (const [i, range] of repaired.ranges.entries()) {
    const { first, end } = chunksOf(range);
    if (present[i] !== hashes[i]) differences.mark(first, end - first);
  }
  const compare = async (from: number, end: number): Promise<void> => {
    for (let first = from; first < end; first += PIECE_CHUNKS) {
      const count = Math.min(PIECE_CHUNKS, end - first);
      const [old, present] = await Promise.all([
        before.nodes(0, first, count, signal),
        now.nodes(0, first, count, signal),
      ]);
      if (old.equals(present)) continue;
      for (let i = 0; i < count; i++) {
        const at = i * HASH_BYTES;
        if (old.compare(present, at, at + HASH_BYTES, at, at + HASH_BYTES) !== 0) differences.mark(first + i, 1);
      }
    }
  };
  let at = 0;
  for (const range of repaired.ranges) {
    const { first, end } = chunksOf(range);
    await compare(at, first);
    at = end;
  }
  await compare(at, total);
  return differences.named();
};
