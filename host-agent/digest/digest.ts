import { DataPathError } from '../device/errors.ts';
import { CHUNK_BYTES, leafHash, nodeHash, rootHash, zeroSubtree } from './tree-hash.ts';

/** The digest while it grows, in address order: how many chunks are in it, and the full subtrees that they make up. */
export interface Digest {
  /** The next chunk's leaf hash. */
  chunk(leaf: Uint8Array): void;
  /** `count` chunks of zeroes; the last of the volume may be shorter. Costs O(log count). */
  zeroes(count: number): void;
  readonly chunks: number;
  /** The low-water mark and its frontier: enough to go on later. At most 48 hashes. */
  state(): DigestState;
  /** Lower-case hex. Throws when chunks are missing. */
  finish(): string;
}

export interface DigestState {
  readonly format: 'volmove-merkle-1';
  readonly sizeBytes: number;
  readonly chunks: number;
  /** Hashes of the full subtrees, largest first, in hex. */
  readonly frontier: readonly string[];
}

export const chunkCount = (sizeBytes: number): number => Math.ceil(sizeBytes / CHUNK_BYTES);
export const chunkLength = (sizeBytes: number, chunk: number): number =>
  Math.min(CHUNK_BYTES, sizeBytes - chunk * CHUNK_BYTES);

const log2Floor = (n: number): number => Math.floor(Math.log2(n) + 1e-12);
const trailingZeroes = (n: number): number => {
  let count = 0;
  for (let rest = n; rest % 2 === 0; rest /= 2) count++;
  return count;
};

const checked = (sizeBytes: number, state: DigestState | undefined): DigestState | undefined => {
  if (state && (state.format !== 'volmove-merkle-1' || state.sizeBytes !== sizeBytes)) {
    throw new DataPathError(
      'CheckpointMismatch',
      `a digest of ${state.sizeBytes} bytes in format ${state.format} cannot go on for ${sizeBytes} bytes`,
    );
  }
  return state;
};

export const createDigest = (sizeBytes: number, resumed?: DigestState): Digest => {
  const total = chunkCount(sizeBytes);
  const state = checked(sizeBytes, resumed);
  let chunks = state?.chunks ?? 0;
  /** One entry for each bit of `chunks`, highest first: subtree of 2^level chunks. */
  const frontier: { level: number; hash: Uint8Array }[] = [];
  if (state) restore(frontier, state);

  const push = (level: number, hash: Uint8Array): void => {
    if (chunks + 2 ** level > total)
      throw new DataPathError('OutOfRange', `more than the ${total} chunks of ${sizeBytes} bytes`);
    chunks += 2 ** level;
    let top = { level, hash };
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
      const partial = chunks + count === total && sizeBytes % CHUNK_BYTES !== 0;
      for (let left = partial ? count - 1 : count; left > 0; ) {
        const level = Math.min(log2Floor(left), chunks === 0 ? 52 : trailingZeroes(chunks));
        push(level, zeroSubtree(level));
        left -= 2 ** level;
      }
      if (partial) push(0, leafHash(Buffer.alloc(sizeBytes % CHUNK_BYTES)));
    },
    state: () => ({
      format: 'volmove-merkle-1',
      sizeBytes,
      chunks,
      frontier: frontier.map((f) => Buffer.from(f.hash).toString('hex')),
    }),
    finish() {
      if (chunks !== total) throw new DataPathError('OutOfRange', `${total - chunks} of ${total} chunks are missing`);
      const tops = frontier.map((f) => f.hash);
      const top = tops.reduceRight<Uint8Array | undefined>(
        (right, left) => (right ? nodeHash(left, right) : left),
        undefined,
      );
      return rootHash(sizeBytes, top).toString('hex');
    },
  };
};

const restore = (frontier: { level: number; hash: Uint8Array }[], state: DigestState): void => {
  let rest = state.chunks;
  for (const hex of state.frontier) {
    const level = log2Floor(rest);
    frontier.push({ level, hash: Buffer.from(hex, 'hex') });
    rest -= 2 ** level;
  }
  if (rest !== 0)
    throw new DataPathError(
      'CheckpointMismatch',
      `${state.frontier.length} hashes cannot stand for ${state.chunks} chunks`,
    );
};
