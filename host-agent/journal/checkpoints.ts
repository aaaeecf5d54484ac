import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readDurable, removeDurable, writeDurable } from '../../local/durable-file.ts';
import type { Checkpoint } from '../copy/checkpoint.ts';

/** Fine checkpoints of the copies of this host: each names only writes that a flush has made durable at the destination. */
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
}

export const openCheckpointJournal = async (dataDir: string): Promise<CheckpointJournal> => {
  const directory = join(dataDir, 'checkpoints');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = (jobId: string): string => join(directory, `${encodeURIComponent(jobId)}.json`);
  return {
    async read(jobId, writeEpoch) {
      const stored = (await readDurable(file(jobId))) as StoredCheckpoint | undefined;
      return stored?.jobId === jobId && stored.writeEpoch === writeEpoch ? stored.checkpoint : undefined;
    },
    write: (checkpoint) => writeDurable(file(checkpoint.jobId), checkpoint),
    forget: (jobId) => removeDurable(file(jobId)),
  };
};
