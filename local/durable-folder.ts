import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readDurable, removeDurable, removeHalfWritten, writeDurable } from './durable-file.ts';

/** A folder of small records by name, each whole or not there, also after a power loss. What a journal is kept in. */
export interface DurableFolder {
  names(): Promise<string[]>;
  /** Undefined when there is none. */
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
  remove(name: string): Promise<void>;
}

const SUFFIX = '.json';

export const openDurableFolder = async (dataDir: string, folder: string): Promise<DurableFolder> => {
  const directory = join(dataDir, folder);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removeHalfWritten(directory);
  const file = (name: string): string => join(directory, `${encodeURIComponent(name)}${SUFFIX}`);
  return {
    async names() {
      const files = await readdir(directory);
      return files
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)));
    },
    read: (name) => readDurable(file(name)),
    write: (name, value) => writeDurable(file(name), value),
    remove: (name) => removeDurable(file(name)),
  };
};
