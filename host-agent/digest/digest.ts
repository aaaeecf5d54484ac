import { DataPathError } from '../device/errors.ts';
import { type DigestState, frontierOf, type Subtree, stateOf } from './digest-state.ts';
import { CHUNK_BYTES, chunkCount, nodeHash, rootHash, zeroLeaf, zeroSubtree } from './tree-hash.ts';

export { chunkCount, chunkLength } from './tree-hash.ts';

/** The digest of a volume while it grows, in address order; its format stands in tree-hash.ts. */
export interface Digest {
  /** The next chunk's leaf hash. */
  chunk(leaf: Buffer): void;
  /** `count` chunks of zeroes; the last of the volume may be shorter. Costs O(log count). */
  zeroes(count: number): void;
  /** How many chunks are in it. */
  readonly chunks: number;
  /** Enough to go on later, in another process: createDigest(sizeBytes, state). */
  state(): DigestState;
  /** Lower-case hex. OutOfRange when chunks are missing. */
  finish(): string;
}

const trailingZeroBits = (n: number): number => {
  let count = 0;
  for (let rest = n; rest % 2 === 0; rest /= 2) count++;
  return count;
};

/** The largest subtree of zeroes that may stand at `chunk` and is not longer than `count`. */
const zeroLevelAt = (chunk: number, count: number): number => {
  const fits = count.toString(2).length - 1;
  return chunk === 0 ? fits : Math.min(fits, trailingZeroBits(chunk));
};

/** CheckpointMismatch when `resumed` is not the state of a volume of this size. */
export const createDigest = (sizeBytes: number, resumed?: DigestState): Digest => {
  const total = chunkCount(sizeBytes);
  const shortBytes = sizeBytes % CHUNK_BYTES;
  const frontier: Subtree[] = resumed ? frontierOf(sizeBytes, resumed) : [];
  let chunks = resumed?.chunks ?? 0;

  const push = (level: number, hash: Buffer): void => {
    if (chunks + 2 ** level > total)
      throw new DataPathError('OutOfRange', `more than the ${total} chunks of ${sizeBytes} bytes`);
    chunks += 2 ** level;
    let top: Subtree = { level, hash };
    for (let left = frontier.at(-1); left?.level === top.level; left = frontier.at(-1)) {
      frontier.pop();
      top = { level: top.level + 1, hash: nodeHash(left.hash, top.hash) };
    }
    frontier.push(top);
  };

  return {
    get chunks() {
      return chunks;
    },
    chunk: (leaf) => push(0, leaf),
    zeroes(count) {
      const endsShort = shortBytes !== 0 && chunks + count === total && count > 0;
      for (let left = endsShort ? count - 1 : count; left > 0; ) {
        const level = zeroLevelAt(chunks, left);
        push(level, zeroSubtree(level));
        left -= 2 ** level;
      }
      if (endsShort) push(0, zeroLeaf(shortBytes));
    },
    state: () => stateOf(sizeBytes, chunks, frontier),
    finish() {
      if (chunks !== total) throw new DataPathError('OutOfRange', `${total - chunks} of ${total} chunks are missing`);
      const top = frontier
        .map(({ hash }) => hash)
        .reduceRight<Buffer | undefined>((right, left) => (right ? nodeHash(left, right) : left), undefined);
      return rootHash(sizeBytes, top).toString('hex');
    },
  };
};
