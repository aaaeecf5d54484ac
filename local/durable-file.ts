import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Small JSON files that are whole or not there, also after a power loss: written beside, synced, renamed, directory synced. */

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

let serial = 0;
const HALF_WRITTEN = /\.(\d+)\.(\d+)\.tmp$/;

export const writeDurable = async (path: string, value: unknown): Promise<void> => {
  const beside = `${path}.${process.pid}.${serial++}.tmp`;
  // a process that was killed may have left one behind, and in a container every process has the same id
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(value)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, path);
  await syncDirectory(dirname(path));
};

/** Undefined when the file is not there; a file that is there must be whole. */
export const readDurable = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Error(`${path} cannot be read; move it away to start without it`, { cause: error });
  }
};

export const removeDurable = async (path: string): Promise<void> => {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
};

/** What processes that were killed while they wrote have left in a directory. Its owner calls it before it writes there. */
export const removeHalfWritten = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    const [, pid, nth] = HALF_WRITTEN.exec(name) ?? [];
    // one that this process is writing now is no leftover
    const mayBeOurs = Number(pid) === process.pid && Number(nth) < serial;
    if (pid !== undefined && !mayBeOurs) await rm(join(directory, name), { force: true });
  }
};

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
