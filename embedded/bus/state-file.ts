import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A JSON value in a file that is replaced whole: after a kill or a power loss the old or the new value is there, never half of one. */

/** Undefined when there is no file yet. */
export const loadJson = async (path: string): Promise<unknown> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not JSON any more. Restore it from a backup, or remove it to begin without rules.`, {
      cause,
    });
  }
};

export const saveJson = async (path: string, value: unknown): Promise<void> => {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncDirectory(dirname(path));
};

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};
