import * as z from 'zod';
import { type DurableFolder, openDurableFolder } from '../../local/durable-folder.ts';
import type { Checkpoint } from '../copy/checkpoint.ts';
import { bytesOf } from '../copy/chunks.ts';
import { DataPathError } from '../device/errors.ts';
import { createDigest } from '../digest/digest.ts';
import { NO_DIGEST } from '../digest/digest-state.ts';
import { createNoDigest } from '../digest/no-digest.ts';
import { FORMAT } from '../digest/tree-hash.ts';

/**
 * Fine checkpoints of the copies of this host: each names only writes that a flush has made durable at the destination. One
 * that is damaged, or of something else, is void: the copy starts anew, which costs time and nothing else.
 */
export interface StoredCheckpoint {
  readonly jobId: string;
  /** A checkpoint of another epoch is void: bytes may have changed behind it. */
  readonly writeEpoch: number;
  readonly checkpoint: Checkpoint;
}

export interface CheckpointJournal {
  read(jobId: string, writeEpoch: number): Promise<Checkpoint | undefined>;
  write(checkpoint: StoredCheckpoint): Promise<void>;
  forget(jobId: string): Promise<void>;
  /** Whose there are. */
  jobIds(): Promise<string[]>;
  /** Forgets those of all jobs that are not among these: no retry can ask for them any more. */
  keepOnly(jobIds: readonly string[]): Promise<void>;
}

const SHAPE = z.looseObject({
  jobId: z.string(),
  writeEpoch: z.int(),
  checkpoint: z.looseObject({
    settledBytes: z.int(),
    digest: z.looseObject({
      format: z.literal([FORMAT, NO_DIGEST]),
      sizeBytes: z.int().positive(),
      chunks: z.int().nonnegative(),
      frontier: z.array(z.string()),
    }),
  }),
});

/** The mark and the digest must tell the same, and the hashes must be as many as the digest needs. */
const isSound = ({ settledBytes, digest }: Checkpoint): boolean => {
  try {
    const resumed = (digest.format === NO_DIGEST ? createNoDigest : createDigest)(digest.sizeBytes, digest);
    return settledBytes === bytesOf(resumed.chunks, digest.sizeBytes);
  } catch (error) {
    if (error instanceof DataPathError && error.code === 'CheckpointMismatch') return false;
    throw error;
  }
};

/** Undefined for what is no JSON. A disk that cannot be read is another matter, and rises. */
const readWhole = async (folder: DurableFolder, jobId: string): Promise<unknown> => {
  try {
    return await folder.read(jobId);
  } catch (error) {
    if (error instanceof Error && error.cause instanceof SyntaxError) return undefined;
    throw error;
  }
};

export const openCheckpointJournal = async (dataDir: string): Promise<CheckpointJournal> =>
  checkpointsIn(await openDurableFolder(dataDir, 'checkpoints'));

export const checkpointsIn = (folder: DurableFolder): CheckpointJournal => ({
  async read(jobId, writeEpoch) {
    const stored = SHAPE.safeParse(await readWhole(folder, jobId)).data;
    const isOurs = stored?.jobId === jobId && stored.writeEpoch === writeEpoch;
    return isOurs && isSound(stored.checkpoint) ? stored.checkpoint : undefined;
  },
  write: (checkpoint) => folder.write(checkpoint.jobId, checkpoint),
  forget: (jobId) => folder.remove(jobId),
  jobIds: () => folder.names(),
  async keepOnly(jobIds) {
    const kept = new Set(jobIds);
    for (const jobId of await folder.names()) if (!kept.has(jobId)) await folder.remove(jobId);
  },
});
