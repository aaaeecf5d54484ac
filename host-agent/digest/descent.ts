import { HASH_BYTES, nodeHash, rootHash } from './tree-hash.ts';
import { levelCounts, type NodeReader } from './tree-layout.ts';

/**
 * Which chunks differ between two trees, by descending from the top into what differs and nowhere else: O(differences x log
 * chunks) hashes, read level by level in batches, in address order, with bounded memory. The other side's tree proves itself on
 * the way: its top must give the root that is known, and each node the one above it.
 */
export interface ChunkRange {
  readonly first: number;
  readonly count: number;
}

/** The other side's tree is not the one of its root: a leaf file that was torn, or somebody's mistake. */
export class VoidTree extends Error {}

export interface Descent {
  readonly mine: NodeReader;
  readonly theirs: NodeReader;
  /** The root that stands for `theirs`, in hex. */
  readonly theirRoot: string;
  readonly signal?: AbortSignal;
}

/** Nodes that are asked about together. */
const BATCH_NODES = 256;

/** Nodes of one level that differ, in ascending order, with the hash that the other side has for each. */
interface Differing {
  readonly level: number;
  readonly indices: readonly number[];
  readonly hashes: readonly Buffer[];
}

export const runsOfChunks = (ascending: readonly number[]): ChunkRange[] => {
  const runs: { first: number; count: number }[] = [];
  for (const chunk of ascending) {
    const last = runs.at(-1);
    if (last && last.first + last.count === chunk) last.count++;
    else runs.push({ first: chunk, count: 1 });
  }
  return runs;
};

const read = async (reader: NodeReader, level: number, indices: readonly number[], signal?: AbortSignal) => {
  const runs = runsOfChunks(indices);
  const parts = await Promise.all(runs.map(({ first, count }) => reader.nodes(level, first, count, signal)));
  const all = Buffer.concat(parts);
  return indices.map((_, i) => all.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
};

const childrenOf = (index: number, countBelow: number): number[] =>
  [2 * index, 2 * index + 1].filter((child) => child < countBelow);

/** Throws VoidTree when the children do not give the parents that the other side has named before. */
const requireProof = ({ indices, hashes }: Differing, countBelow: number, theirs: readonly Buffer[]): void => {
  let at = 0;
  for (const [i, index] of indices.entries()) {
    const [left, right] = theirs.slice(at, at + childrenOf(index, countBelow).length);
    at += right ? 2 : 1;
    const parent = left && right ? nodeHash(left, right) : left;
    if (!parent?.equals(hashes[i] as Buffer)) throw new VoidTree('a node is not the hash of those below it');
  }
};

const inBatches = (level: number, indices: readonly number[], hashes: readonly Buffer[]): Differing[] => {
  const batches: Differing[] = [];
  for (let at = 0; at < indices.length; at += BATCH_NODES) {
    const end = at + BATCH_NODES;
    batches.push({ level, indices: indices.slice(at, end), hashes: hashes.slice(at, end) });
  }
  return batches;
};

const below = async ({ mine, theirs, signal }: Descent, parents: Differing, counts: readonly number[]) => {
  const level = parents.level - 1;
  const countBelow = counts[level] ?? 0;
  const children = parents.indices.flatMap((index) => childrenOf(index, countBelow));
  const [ours, others] = await Promise.all([
    read(mine, level, children, signal),
    read(theirs, level, children, signal),
  ]);
  requireProof(parents, countBelow, others);
  const differing = children.map((_, i) => i).filter((i) => !ours[i]?.equals(others[i] as Buffer));
  return inBatches(
    level,
    differing.map((i) => children[i] as number),
    differing.map((i) => others[i] as Buffer),
  );
};

/** Ascending; ranges that touch may come apart. Throws VoidTree. */
export async function* differingChunks(descent: Descent): AsyncGenerator<ChunkRange> {
  const { mine, theirs, theirRoot, signal } = descent;
  const counts = levelCounts(theirs.sizeBytes);
  if (counts.length === 0) return;
  const top = counts.length - 1;
  const [[ours], [others]] = await Promise.all([read(mine, top, [0], signal), read(theirs, top, [0], signal)]);
  if (!ours || !others || rootHash(theirs.sizeBytes, others).toString('hex') !== theirRoot)
    throw new VoidTree('the top is not that of the root');
  const left: Differing[] = ours.equals(others) ? [] : [{ level: top, indices: [0], hashes: [others] }];
  for (let next = left.pop(); next; next = left.pop()) {
    if (next.level === 0) yield* runsOfChunks(next.indices);
    else left.push(...(await below(descent, next, counts)).reverse());
  }
}
