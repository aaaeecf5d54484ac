import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObjectName } from '../../../domain/names.ts';
import { isMissing } from '../../../local/durable-file.ts';
import type { ListedObject, ListObjects, ObjectPage } from '../contract.ts';
import { openFiles } from './users.ts';

/** The files of a pool: volmove's, by their tag, which is the form of their names, or those of others that it could adopt. */

export const OBJECT_SUFFIX = '.img';
export const objectIdOf = (inode: bigint): string => `inode-${inode}`;

const namesBehind = async (directory: string, { after, what = 'ours' }: ListObjects): Promise<string[]> => {
  const names: string[] = [];
  for await (const entry of await opendir(directory)) {
    if (!entry.isFile() || !entry.name.endsWith(OBJECT_SUFFIX)) continue;
    const name = entry.name.slice(0, -OBJECT_SUFFIX.length);
    const ours = parseObjectName(name) !== undefined;
    if (ours === (what === 'ours') && (after === null || name > after)) names.push(name);
  }
  return names.sort((a, b) => (a < b ? -1 : 1));
};

/** Undefined when it is gone meanwhile. Where a file system keeps no birth time, a later one makes it younger, never older. */
const described = async (directory: string, objectName: string): Promise<ListedObject | undefined> => {
  try {
    const { ino, size, nlink, birthtimeMs, ctimeMs } = await stat(join(directory, `${objectName}${OBJECT_SUFFIX}`), {
      bigint: true,
    });
    return {
      objectName,
      objectId: objectIdOf(ino),
      sizeBytes: Number(size),
      madeAtMs: Number(birthtimeMs > 0n ? birthtimeMs : ctimeMs),
      // another name could be taken over as another volume, with the same blocks
      ...(nlink > 1n ? { unfit: `it has ${nlink} names (hard links)` } : {}),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/** What a process has open could be written to while it is moved. */
const inUse = async (directory: string, objects: readonly ListedObject[]): Promise<ListedObject[]> => {
  const holders = await openFiles();
  const real = await realpath(directory);
  return objects.map((object) => {
    const pids = holders.get(join(real, `${object.objectName}${OBJECT_SUFFIX}`));
    return pids ? { ...object, unfit: object.unfit ?? `process ${pids.join(', ')} has it open` } : object;
  });
};

export const listFiles = async (directory: string, request: ListObjects): Promise<ObjectPage> => {
  const names = await namesBehind(directory, request);
  const { limit } = request;
  const found = await Promise.all(names.slice(0, limit).map((name) => described(directory, name)));
  const objects = found.filter((one) => one !== undefined);
  return { objects: request.what === 'others' ? await inUse(directory, objects) : objects, more: names.length > limit };
};
