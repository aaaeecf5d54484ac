import type { ByteRange } from '../../domain/byte-range.ts';
import { blake3 } from './blake3.ts';
import { CHUNK_BYTES, HASH_BYTES } from './tree-hash.ts';
import type { NodeReader } from './tree-layout.ts';

/** One hash for each range of chunks, over their leaves: so that two hosts can tell which ranges differ by a few bytes each. */
const PIECE_CHUNKS = 4096;

export const hashesOfRanges = async (
  tree: NodeReader,
  ranges: readonly ByteRange[],
  signal?: AbortSignal,
): Promise<string[]> => {
  const hashes: string[] = [];
  for (const { fromByte, endByte } of ranges) {
    const end = Math.ceil(endByte / CHUNK_BYTES);
    let hash = Buffer.alloc(HASH_BYTES);
    for (let chunk = fromByte / CHUNK_BYTES; chunk < end; chunk += PIECE_CHUNKS)
      hash = blake3.hash(
        hash,
        await tree.nodes(0, chunk, Math.min(PIECE_CHUNKS, end - chunk), signal),
      ) as Buffer<ArrayBuffer>;
    hashes.push(hash.toString('hex'));
  }
  return hashes;
};
