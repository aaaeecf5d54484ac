import { constants, copyFile, mkdtemp, open, realpath, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.ts';

/** The bench's own directories: one on the disk, one in memory. All of it goes when the bench ends, however it ends. */
export interface Scratch {
  readonly disk: string;
  readonly memory: string;
  readonly tlsDirectory: string;
  remove(): Promise<void>;
}

const MEMORY = '/dev/shm';
/** statfs(2) */
const TMPFS_MAGIC = 0x01021994;

const isTmpfs = async (path: string): Promise<boolean> => (await statfs(path)).type === TMPFS_MAGIC;

/** Many systems keep /tmp in memory; /var/tmp is on a disk. */
const diskDirectory = async (): Promise<string> => ((await isTmpfs(tmpdir())) ? '/var/tmp' : tmpdir());

export const createScratch = async (dir: string | undefined, nowMs: number): Promise<Scratch> => {
  const made: string[] = [];
  const remove = async (): Promise<void> => {
    for (const path of made) await rm(path, { recursive: true, force: true });
  };
  const make = async (parent: string): Promise<string> => {
    const path = await realpath(await mkdtemp(join(parent, 'volmove-bench-')));
    made.push(path);
    return path;
  };
  try {
    const disk = await make(dir ?? (await diskDirectory()));
    const memory = await make(MEMORY);
    const tlsDirectory = join(memory, 'tls');
    await makeCertificates(tlsDirectory, nowMs);
    return { disk, memory, tlsDirectory, remove };
  } catch (error) {
    await remove();
    throw error;
  }
};

export const createSized = async (path: string, sizeBytes: number): Promise<void> => {
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  await file.close();
};

const STAT_BLOCK_BYTES = 512;

export const allocatedBytes = async (path: string): Promise<number> => (await stat(path)).blocks * STAT_BLOCK_BYTES;

/** A volume and its copy, and a little more, must fit. */
export const requireSpace = async (directory: string, bytes: number): Promise<void> => {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const mib = (n: number): number => Math.round(n / 1024 / 1024);
  if (free < bytes) throw new Error(`${directory} has ${mib(free)} MiB free, ${mib(bytes)} MiB are needed`);
};

/** What the file systems that have none answer (ioctl_ficlonerange(2)), and the one of a kernel that does not know the call. */
const NO_REFLINK = ['ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOTTY', 'ENOSYS', 'EXDEV'];

export const hasReflinks = async (directory: string): Promise<boolean> => {
  const [from, to] = [join(directory, 'blocks'), join(directory, 'shared')] as const;
  try {
    await writeFile(from, Buffer.alloc(65_536, 'shared'));
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (NO_REFLINK.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    for (const path of [from, to]) await rm(path, { force: true });
  }
};
