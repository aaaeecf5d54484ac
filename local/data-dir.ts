import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import koffi from 'koffi';
import { volmoveError } from '../domain/error.ts';
import { readDurable, writeDurable } from './durable-file.ts';

/**
 * A data directory has one process at a time: an flock(2) that the kernel drops when its holder dies, however it dies. Its
 * id is made once and stays, so that whoever holds the directory can prove to be the same party as before. A copy of the directory
 * proves nothing: the id belongs to the very lock file that it was made with, and a copy, which has another one, gets its own.
 */
export interface DataDir {
  readonly path: string;
  readonly id: string;
  /** Gives the lock up. */
  release(): Promise<void>;
}

const LOCK_EX = 2;
const LOCK_NB = 4;

let flock: ((fd: number, operation: number) => number) | undefined;

const tryLock = (fd: number): boolean => {
  flock ??= koffi.load(null).func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;
  return flock(fd, LOCK_EX | LOCK_NB) === 0;
};

interface Known {
  readonly id: string;
  /** Inode of the lock file, which is never replaced. */
  readonly lock?: string;
}

const holderOf = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim() || 'unknown';

const lockFile = async (path: string): Promise<FileHandle> => {
  const file = join(path, 'lock');
  const handle = await open(file, 'a+', 0o600);
  if (tryLock(handle.fd)) {
    await handle.truncate(0);
    await handle.write(`${process.pid}\n`);
    return handle;
  }
  await handle.close();
  throw volmoveError('AlreadyRunning', {
    reason: `The data directory ${path} is in use by process ${await holderOf(file)}.`,
  });
};

export const openDataDir = async (path: string): Promise<DataDir> => {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw volmoveError(
      'ConfigInvalid',
      { problems: [`the data directory ${path} cannot be made: ${(error as Error).message}`] },
      { cause: error },
    );
  }
  const lock = await lockFile(path);
  const idFile = join(path, 'id.json');
  const known = (await readDurable(idFile)) as Known | undefined;
  const inode = String((await lock.stat({ bigint: true })).ino);
  const isCopy = known?.lock !== undefined && known.lock !== inode;
  const id = known && !isCopy ? known.id : randomUUID();
  if (known?.lock !== inode) await writeDurable(idFile, { id, lock: inode } satisfies Known);
  return { path, id, release: () => lock.close() };
};
