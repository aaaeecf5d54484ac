import { stat } from 'node:fs/promises';
import type { Unwell } from '../contract.ts';

/** Whether the path of a pool is one: an unmounted share is there, and is told by its identity file instead. */
export const unwell = async ({ name, path }: { readonly name: string; readonly path: string }): Promise<Unwell[]> => {
  const found = await stat(path).catch(() => undefined);
  if (!found) return [{ pool: name, problem: `the path of pool ${name}, ${path}, does not exist` }];
  if (!found.isDirectory()) return [{ pool: name, problem: `the path of pool ${name}, ${path}, is no directory` }];
  return [];
};
