import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

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

export const writeDurable = async (path: string, value: unknown): Promise<void> => {
  const beside = `${path}.${process.pid}.${serial++}.tmp`;
  const handle = await open(beside, 'wx', 0o600);
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

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
