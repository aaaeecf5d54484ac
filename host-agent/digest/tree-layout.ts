import { CHUNK_BYTES, chunkCount, HASH_BYTES, nodeHash, zeroLeaf, zeroSubtree } from './tree-hash.ts';

/**
 * The hashes of a tree as bytes: level 0, the leaves, in address order, then each level above it. A lone last node goes up one
 * level unchanged, which gives the very tree that tree-hash.ts defines.
 */
export interface NodeReader {
  /** Of the volume whose tree it is. */
  readonly sizeBytes: number;
  /** `count` hashes of one level, HASH_BYTES each. */
  nodes(level: number, first: number, count: number, signal?: AbortSignal): Promise<Buffer>;
}

/** How many nodes each level has, from the leaves to the single top; empty for a volume without a byte. */
export const levelCounts = (sizeBytes: number): number[] => {
  const counts: number[] = [];
  for (let nodes = chunkCount(sizeBytes); nodes > 0; nodes = Math.ceil(nodes / 2)) {
    counts.push(nodes);
    if (nodes === 1) break;
  }
  return counts;
};

/** Where each level begins, and after the last one how long the whole tree is. */
export const levelOffsets = (sizeBytes: number): number[] => {
  let at = 0;
  const ends = levelCounts(sizeBytes).map((nodes) => {
    at += nodes * HASH_BYTES;
    return at;
  });
  return [0, ...ends];
};

/** Pairs of nodes become nodes of the level above; `nodes` begins with a left one. */
export const parentsOf = (nodes: Buffer): Buffer => {
  const parents = Buffer.allocUnsafe(Math.ceil(nodes.length / HASH_BYTES / 2) * HASH_BYTES);
  for (let at = 0, to = 0; at < nodes.length; at += 2 * HASH_BYTES, to += HASH_BYTES) {
    const left = nodes.subarray(at, at + HASH_BYTES);
    const right = nodes.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES);
    parents.set(right.length === 0 ? left : nodeHash(left, right), to);
  }
  return parents;
};

/** The constant that a node has when nothing but zeroes is below it. */
export type ZeroNode = (level: number, index: number) => Buffer;

export const zeroNodes = (sizeBytes: number): ZeroNode => {
  const chunks = chunkCount(sizeBytes);
  const shortBytes = sizeBytes % CHUNK_BYTES;
  /** The last node of a level may be smaller than the others; one for each level. */
  const last = new Map<number, Buffer>();
  const edge: ZeroNode = (level, index) => {
    if (level === 0) return zeroLeaf(shortBytes);
    const left = node(level - 1, 2 * index);
    return (2 * index + 1) * 2 ** (level - 1) < chunks ? nodeHash(left, node(level - 1, 2 * index + 1)) : left;
  };
  const node: ZeroNode = (level, index) => {
    const end = (index + 1) * 2 ** level;
    if (end < chunks || (end === chunks && shortBytes === 0)) return zeroSubtree(level);
    const known = last.get(level) ?? edge(level, index);
    last.set(level, known);
    return known;
  };
  return node;
};
