import type { BlockDevice } from '../../domain/block-device.ts';
import { hashExportName } from '../../domain/names.ts';
import type { Checkpoint } from '../copy/checkpoint.ts';
import { type Copied, copyDevice, leafReaderOf } from '../copy/copy.ts';
import type { LeafFile } from '../digest/leaf-file.ts';
import { hashesOfRanges } from '../digest/range-hash.ts';
import { treeOf } from '../digest/tree.ts';
import { bucketsOf, whilePaused } from './heeding.ts';
import { connectPeer } from './peer.ts';
import type { Repair } from './repair.ts';

/** What a repair came to. */
export interface Repaired {
  /** Of the source, with what was read again. */
  readonly digest: string;
  /** Of the source, one for each range that is named; null when they are not known for certain. */
  readonly hashes: readonly string[] | null;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

const hashesFrom = async ({ parts, run, differences }: Repair, digest: string): Promise<string[] | null> => {
  const { sizeBytes } = run.job.input;
  const file = await parts.leaves.open(run.job.id, sizeBytes);
  if (!file) return null;
  try {
    const tree = treeOf(file, sizeBytes);
    if ((await tree.digest(run.signal)) !== digest) return null;
    return await hashesOfRanges(tree, differences.named().ranges, run.signal);
  } finally {
    await file.close();
  }
};

interface Sides {
  /** The destination's leaf hashes, as it has them now. */
  readonly stored: BlockDevice;
  /** Where the source's are kept. */
  readonly leaves: LeafFile;
  readonly checkpoint: Checkpoint | undefined;
}

const compareAll = (repair: Repair, { stored, leaves, checkpoint }: Sides): Promise<Copied> => {
  const { parts, run, source, destination, differences, onRested } = repair;
  const { id, input } = run.job;
  return parts.buffers.lend((window) =>
    copyDevice({
      window,
      source,
      destination,
      sizeBytes: input.sizeBytes,
      destinationIsZero: false,
      destinationLeaves: leafReaderOf(stored),
      onDifference: (first, count) => differences.mark(first, count),
      leaves,
      ...(checkpoint ? { checkpoint } : {}),
      onProgress: (p) => run.measured(p),
      async onCheckpoint(made) {
        await leaves.handedOver();
        await parts.checkpoints.write({ jobId: id, writeEpoch: input.writeEpoch, checkpoint: made });
      },
      buckets: bucketsOf(parts, run),
      whilePaused: (during) => whilePaused(run, during)?.then(onRested),
      monotonicMs: parts.monotonicMs,
      signal: run.signal,
    }),
  );
};

/** Reads all of the source and has the other agent read all of the destination; needs no tree that was kept. */
export const repairByComparison = async (repair: Repair): Promise<Repaired> => {
  const { parts, run, generation } = repair;
  const { id, migrationId, input } = run.job;
  const { sizeBytes, writeEpoch } = input;
  const found = await parts.checkpoints.read(id, writeEpoch);
  const checkpoint = found?.digest.sizeBytes === sizeBytes ? found : undefined;
  const stored = await connectPeer(parts, run, hashExportName(migrationId ?? '', run.job.run, generation, 'leaves'));
  let leaves: LeafFile | undefined;
  let copied: Copied;
  try {
    leaves = await parts.leaves.begin(id, sizeBytes, checkpoint?.digest.chunks ?? 0);
    copied = await compareAll(repair, { stored, leaves, checkpoint });
  } finally {
    await leaves?.close();
    await stored.close();
  }
  const { digest, bytes } = copied;
  if (digest === null) throw new TypeError('a copy that keeps its leaves has a digest');
  return { digest, hashes: await hashesFrom(repair, digest), bytesRead: bytes.read, bytesWritten: bytes.written };
};
