import type { BlockDevice } from '../../domain/block-device.ts';
import { isZero } from '../copy/chunks.ts';
import { throwIfAborted } from '../device/errors.ts';
import { HASH_BYTES, rootHash } from './tree-hash.ts';
import { levelCounts, type NodeReader, parentsOf, type ZeroNode, zeroNodes } from './tree-layout.ts';

/**
 * The whole tree over a leaf file. Nodes below BLOCK_LEVEL are hashed when they are asked for, from 32 KiB of leaves each; those
 * from there on are hashed once and kept, which takes 4 MiB for 64 TiB. Where the leaf file has holes the nodes are constants.
 */
export interface Tree extends NodeReader {
  /** The root over all leaves, in hex: proves the leaf file, or shows that it is void. */
  digest(signal?: AbortSignal): Promise<string>;
}

const BLOCK_LEVEL = 10;
const BLOCK_LEAVES = 2 ** BLOCK_LEVEL;

const slice = (nodes: Buffer, first: number, count: number): Buffer =>
  nodes.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES);

/** A hole of the file, or of the nodes that are kept, stands for the constant of its place. */
const fillZeroes = (zero: ZeroNode, nodes: Buffer, level: number, first: number): Buffer => {
  for (let i = 0; i * HASH_BYTES < nodes.length; i++)
    if (isZero(slice(nodes, i, 1))) nodes.set(zero(level, first + i), i * HASH_BYTES);
  return nodes;
};

/** The level above `below`, which begins with its node `first`; what is zero below stays zero. */
const levelAbove = (zero: ZeroNode, below: Buffer, level: number, first = 0): Buffer => {
  const count = Math.ceil(below.length / HASH_BYTES / 2);
  const nodes = Buffer.alloc(count * HASH_BYTES);
  for (let i = 0; i < count; i++) {
    const pair = slice(below, 2 * i, 2);
    if (!isZero(pair))
      nodes.set(parentsOf(fillZeroes(zero, Buffer.from(pair), level - 1, first + 2 * i)), i * HASH_BYTES);
  }
  return nodes;
};

interface LowerPart extends NodeReader {
  /** All nodes of BLOCK_LEVEL; a block that is nothing but a hole is left zero. */
  blocks(signal: AbortSignal | undefined): Promise<Buffer>;
}

const lowerPart = (leaves: BlockDevice, sizeBytes: number, zero: ZeroNode): LowerPart => {
  const counts = levelCounts(sizeBytes);
  const total = counts[0] ?? 0;

  /** The node, or nodes of one level, over the leaves [first, end). */
  const climb = async (first: number, end: number, level: number, signal: AbortSignal | undefined): Promise<Buffer> => {
    const nodes = Buffer.alloc((Math.min(end, total) - first) * HASH_BYTES);
    await leaves.read(first * HASH_BYTES, nodes, signal);
    let top: Buffer = nodes;
    let at = first;
    for (let above = 1; above <= level; above++) {
      top = levelAbove(zero, top, above, at);
      at /= 2;
    }
    return fillZeroes(zero, top, level, at);
  };

  return {
    sizeBytes,
    async nodes(level, first, count, signal) {
      const parts: Buffer[] = [];
      const step = 2 ** (BLOCK_LEVEL - level);
      for (let at = first; at < first + count; at += step)
        parts.push(await climb(at * 2 ** level, Math.min(first + count, at + step) * 2 ** level, level, signal));
      return Buffer.concat(parts);
    },
    async blocks(signal) {
      const nodes = Buffer.alloc((counts[BLOCK_LEVEL] ?? 0) * HASH_BYTES);
      let next = 0;
      for await (const extent of leaves.extents(0, total * HASH_BYTES, signal)) {
        if (extent.kind === 'hole') continue;
        const end = Math.ceil((extent.offset + extent.lengthBytes) / HASH_BYTES / BLOCK_LEAVES);
        next = Math.max(next, Math.floor(extent.offset / HASH_BYTES / BLOCK_LEAVES));
        for (; next < end; next++) {
          throwIfAborted(signal);
          const block = await climb(next * BLOCK_LEAVES, (next + 1) * BLOCK_LEAVES, BLOCK_LEVEL, signal);
          nodes.set(block, next * HASH_BYTES);
        }
      }
      return nodes;
    },
  };
};

export const treeOf = (leaves: BlockDevice, sizeBytes: number): Tree => {
  const counts = levelCounts(sizeBytes);
  const zero = zeroNodes(sizeBytes);
  const lower = lowerPart(leaves, sizeBytes, zero);
  let upper: Promise<Buffer[]> | undefined;

  const build = async (signal: AbortSignal | undefined): Promise<Buffer[]> => {
    const levels = [await lower.blocks(signal)];
    for (let level = BLOCK_LEVEL + 1; level < counts.length; level++)
      levels.push(levelAbove(zero, levels.at(-1) as Buffer, level));
    return levels;
  };
  /** One building for all who wait; one that failed is tried again by the next who asks. */
  const built = (signal: AbortSignal | undefined): Promise<Buffer[]> => {
    upper ??= build(signal).catch((error: unknown) => {
      upper = undefined;
      throw error;
    });
    return upper;
  };
  const nodes: Tree['nodes'] = async (level, first, count, signal) => {
    if (level < BLOCK_LEVEL) return lower.nodes(level, first, count, signal);
    const kept = (await built(signal))[level - BLOCK_LEVEL] as Buffer;
    return fillZeroes(zero, Buffer.from(slice(kept, first, count)), level, first);
  };

  return {
    sizeBytes,
    nodes,
    async digest(signal) {
      const top = counts.length === 0 ? undefined : await nodes(counts.length - 1, 0, 1, signal);
      return rootHash(sizeBytes, top).toString('hex');
    },
  };
};
