import { stat } from 'node:fs/promises';
import { isMissing } from '../../../local/durable-file.ts';
import type { FoundObject } from '../contract.ts';
import { objectIdOf } from './list.ts';

/** Undefined when there is no such file. */
export const found = async (path: string): Promise<FoundObject | undefined> => {
  try {
    const { ino, size } = await stat(path, { bigint: true });
    return { objectId: objectIdOf(ino), sizeBytes: Number(size) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};
