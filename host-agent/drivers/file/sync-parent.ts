import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the names in a file's directory durable. */
export const syncParent = async (path: string): Promise<void> => {
  const handle = await open(dirname(path), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
