import type { BlockDevice } from '../../domain/block-device.ts';
import { migrationJobId } from '../../domain/job/job.ts';
import { hashExportName } from '../../domain/names.ts';
import { recopy } from '../copy/recopy.ts';
import type { Content } from '../copy/scan.ts';
import { DataPathError } from '../device/errors.ts';
import { type ChunkRange, differingChunks, VoidTree } from '../digest/descent.ts';
import { hashesOfRanges } from '../digest/range-hash.ts';
import { type Tree, treeOf } from '../digest/tree.ts';
import { nodesOf } from '../digest/tree-device.ts';
import { type NodeReader, zeroNodes } from '../digest/tree-layout.ts';
import { bucketsOf, whilePaused } from './heeding.ts';
import { connectPeer } from './peer.ts';
import type { Repair } from './repair.ts';
import type { Repaired } from './repair-by-comparison.ts';

/** Descends the source's tree, kept while copying, and the destination's, kept while reading back; reads nothing but what differs. */

/** The first answer of the other tree comes after all of its leaves were hashed together once. */
const TREE_ANSWER_MS = 600_000;

const connectTree = async ({ parts, run }: Repair): Promise<BlockDevice | undefined> => {
  const { migrationId, run: nth, input } = run.job;
  const name = hashExportName(migrationId ?? '', nth, input.sealed.generation, 'tree');
  try {
    return await connectPeer(parts, run, name, TREE_ANSWER_MS);
  } catch (error) {
    if (error instanceof DataPathError && error.code === 'ExportNotOpen') return undefined;
    throw error;
  }
};

/** Remembers what it lets through. */
async function* marked(repair: Repair, mine: NodeReader, theirs: NodeReader): AsyncGenerator<ChunkRange> {
  const { run, differences } = repair;
  const descent = { mine, theirs, theirRoot: run.job.input.sealed.digest, signal: run.signal };
  for await (const range of differingChunks(descent)) {
    differences.mark(range.first, range.count);
    yield range;
  }
}

/** True when the source reads other than at the time of the copy: then its leaf file says so from here on. */
const remember = async (repair: Repair, jobId: string, mine: Tree, chunk: number, content: Content) => {
  const { sizeBytes } = repair.run.job.input;
  const known = await mine.nodes(0, chunk, 1);
  if (known.equals(content === 'zeroes' ? zeroNodes(sizeBytes)(0, chunk) : content)) return false;
  await repair.parts.leaves.patch(jobId, chunk, content);
  return true;
};

const descend = async (repair: Repair, jobId: string, file: BlockDevice, theirs: NodeReader): Promise<Repaired> => {
  const { parts, run, source, destination, differences, onRested } = repair;
  const { sizeBytes, sourceDigest } = run.job.input;
  const mine = treeOf(file, sizeBytes);
  let patched = false;
  const bytes = await parts.buffers.lend((window) =>
    recopy({
      source,
      destination,
      sizeBytes,
      ranges: marked(repair, mine, theirs),
      async onCopied(chunk, content) {
        if (await remember(repair, jobId, mine, chunk, content)) patched = true;
      },
      onProgress: (p) => run.measured(p),
      buckets: bucketsOf(parts, run),
      whilePaused: (during) => whilePaused(run, during)?.then(onRested),
      monotonicMs: parts.monotonicMs,
      signal: run.signal,
      window,
    }),
  );
  const now = patched ? treeOf(file, sizeBytes) : mine;
  return {
    digest: patched ? await now.digest(run.signal) : sourceDigest,
    hashes: await hashesOfRanges(now, differences.named().ranges, run.signal),
    bytesRead: bytes.read,
    bytesWritten: bytes.written,
  };
};

/** Undefined when one of the trees is not there or void. */
export const repairByDescent = async (repair: Repair): Promise<Repaired | undefined> => {
  const { parts, run } = repair;
  const { sizeBytes, sourceDigest } = run.job.input;
  const jobId = migrationJobId(run.job.migrationId ?? '', run.job.run, 'data.copy');
  const file = await parts.leaves.open(jobId, sizeBytes);
  if (!file) return undefined;
  let tree: BlockDevice | undefined;
  try {
    if ((await treeOf(file, sizeBytes).digest(run.signal)) !== sourceDigest) return undefined;
    tree = await connectTree(repair);
    return tree && (await descend(repair, jobId, file, nodesOf(tree, sizeBytes)));
  } catch (error) {
    if (error instanceof VoidTree) return undefined;
    throw error;
  } finally {
    await tree?.close();
    await file.close();
  }
};
