import { DataPathError } from '../device/errors.ts';
import type { Digest } from './digest.ts';
import { type DigestState, NO_DIGEST } from './digest-state.ts';
import { chunkCount, HASH_BYTES } from './tree-hash.ts';

/** What a copy without verification has in the place of a digest: it counts chunks, so that checkpoints can be made, and proves nothing. */
export const createNoDigest = (sizeBytes: number, resumed?: DigestState): Digest => {
  if (resumed && (resumed.format !== NO_DIGEST || resumed.sizeBytes !== sizeBytes)) {
    throw new DataPathError(
      'CheckpointMismatch',
      `a checkpoint of ${resumed.sizeBytes} bytes in format ${resumed.format} is none of a copy of ${sizeBytes} bytes without a digest`,
    );
  }
  let chunks = resumed?.chunks ?? 0;
  const add = (count: number): void => {
    chunks += count;
    if (chunks > chunkCount(sizeBytes))
      throw new DataPathError('OutOfRange', `more than the chunks of ${sizeBytes} bytes`);
  };
  return {
    get chunks() {
      return chunks;
    },
    chunk: () => add(1),
    zeroes: add,
    state: () => ({ format: NO_DIGEST, sizeBytes, chunks, frontier: [] }),
    finish: () => '',
  };
};

/** Stands for the leaf hash that nobody asked for. */
export const NO_LEAF = Buffer.alloc(HASH_BYTES);
