import type { FileHandle } from 'node:fs/promises';
import { constants, open, statfs } from 'node:fs/promises';
import { DataPathError } from './errors.ts';
import { libc } from './libc.ts';

/** A file or block device as the operating system has it open: once through the page cache, and once past it where it can. */
export interface OpenedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly kind: 'file' | 'block';
  /** It lies in memory, so a transfer is a copy by the processor and no waiting for a device. */
  readonly inMemory: boolean;
  readonly buffered: FileHandle;
  /** Undefined when direct I/O was not asked for, or the file system has none. */
  readonly direct: FileHandle | undefined;
}

export interface OpenFile {
  readonly mode: 'ro' | 'rw';
  readonly direct: boolean;
}

const openDirect = async (path: string, flags: number): Promise<FileHandle | undefined> => {
  try {
    return await open(path, flags | constants.O_DIRECT);
  } catch (error) {
    // EINVAL: the file system has no direct I/O (open(2))
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
    throw error;
  }
};

/** TMPFS_MAGIC and RAMFS_MAGIC (statfs(2)). */
const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6]);

const liesInMemory = async (path: string): Promise<boolean> => MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);

const describe = async (path: string, handle: FileHandle): Promise<{ kind: OpenedFile['kind']; sizeBytes: number }> => {
  const stat = await handle.stat();
  if (stat.isFile()) return { kind: 'file', sizeBytes: stat.size };
  if (!stat.isBlockDevice()) throw new DataPathError('IoError', `${path} is neither a file nor a block device`);
  // fstat says 0 for a block device
  const sizeBytes = await libc?.blockDeviceSize(handle.fd);
  if (sizeBytes === undefined) throw new DataPathError('IoError', `the size of ${path} cannot be found`);
  return { kind: 'block', sizeBytes };
};

/** System errors of opening (ENOENT, EACCES, ...) rise as they are: they are about the path, not about its data. */
export const openFile = async (path: string, { mode, direct }: OpenFile): Promise<OpenedFile> => {
  const flags = mode === 'ro' ? constants.O_RDONLY : constants.O_RDWR;
  const buffered = await open(path, flags);
  try {
    const described = await describe(path, buffered);
    const inMemory = described.kind === 'file' && (await liesInMemory(path));
    // what cannot be read past the cache, be it all of the file or a last partial block, is at least not read from an old page
    if (mode === 'ro' && direct) await libc?.dropCache(buffered.fd);
    return { path, ...described, inMemory, buffered, direct: direct ? await openDirect(path, flags) : undefined };
  } catch (error) {
    await buffered.close();
    throw error;
  }
};
