import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockDevice } from '../../domain/block-device.ts';
import { isMissing } from '../../local/durable-file.ts';
import { openFileDevice } from '../device/file-device.ts';
import { beginLeafFile, type LeafFile, leafFileBytes } from '../digest/leaf-file.ts';
import { HASH_BYTES } from '../digest/tree-hash.ts';

/** The leaf files of this host's copies and read-backs, one for each job, for as long as the job is on the host's list. */
export interface LeafJournal {
  /** What stands from `fromChunk` on is dropped. */
  begin(jobId: string, sizeBytes: number, fromChunk: number): Promise<LeafFile>;
  /** Undefined when there is none for a volume of this size. Whether it is whole its root tells. */
  open(jobId: string, sizeBytes: number): Promise<BlockDevice | undefined>;
  /** Replaces one leaf. */
  patch(jobId: string, chunk: number, leaf: Buffer | 'zeroes'): Promise<void>;
  /** What one job has written is another's from now on; nothing when there is none. */
  adopt(fromJobId: string, jobId: string): Promise<void>;
  forget(jobId: string): Promise<void>;
  /** Whose files there are. */
  jobIds(): Promise<string[]>;
  /** Removes the files of all jobs that are not among these: nobody can ask for them any more. */
  keepOnly(jobIds: readonly string[]): Promise<void>;
}

export const openLeafJournal = async (dataDir: string): Promise<LeafJournal> => {
  const directory = join(dataDir, 'leaves');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = new Set(await readdir(directory));
  const nameOf = (jobId: string): string => encodeURIComponent(jobId);
  const remove = async (name: string): Promise<void> => {
    await rm(join(directory, name), { force: true });
    names.delete(name);
  };
  return {
    begin(jobId, sizeBytes, fromChunk) {
      names.add(nameOf(jobId));
      return beginLeafFile(join(directory, nameOf(jobId)), sizeBytes, fromChunk);
    },
    async open(jobId, sizeBytes) {
      try {
        const device = await openFileDevice(join(directory, nameOf(jobId)), { mode: 'ro' });
        if (device.sizeBytes === leafFileBytes(sizeBytes)) return device;
        await device.close();
        return undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async patch(jobId, chunk, leaf) {
      const handle = await open(join(directory, nameOf(jobId)), 'r+');
      try {
        await handle.write(leaf === 'zeroes' ? Buffer.alloc(HASH_BYTES) : leaf, 0, HASH_BYTES, chunk * HASH_BYTES);
      } finally {
        await handle.close();
      }
    },
    async adopt(fromJobId, jobId) {
      try {
        await rename(join(directory, nameOf(fromJobId)), join(directory, nameOf(jobId)));
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      names.delete(nameOf(fromJobId));
      names.add(nameOf(jobId));
    },
    forget: (jobId) => remove(nameOf(jobId)),
    jobIds: async () => [...names].map(decodeURIComponent),
    async keepOnly(jobIds) {
      const kept = new Set(jobIds.map(nameOf));
      for (const name of [...names]) if (!kept.has(name)) await remove(name);
    },
  };
};
