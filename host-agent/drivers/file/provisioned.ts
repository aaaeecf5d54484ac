import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../local/durable-file.ts';
import { OBJECT_SUFFIX } from './list.ts';

/** Sum of the virtual sizes of the objects in a pool's directory, in bytes. An object that goes meanwhile is not counted. */
export const provisionedBytes = async (path: string): Promise<number> => {
  let sum = 0;
  for await (const entry of await opendir(path)) {
    if (!entry.isFile() || !entry.name.endsWith(OBJECT_SUFFIX)) continue;
    try {
      sum += (await stat(join(path, entry.name))).size;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return sum;
};
