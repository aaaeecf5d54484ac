import { randomUUID } from 'node:crypto';
import { link, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import { isMissing, readDurable, removeDurable, writeDurable } from '../../../local/durable-file.ts';
import type { KnownPools } from '../registry.ts';

/**
 * A pool is a directory with an identity file, checked at every call: without it an unmounted share would look like an empty
 * pool, and every object in it like one that is gone. The identity is made once, when the agent meets the pool first.
 */
export const IDENTITY_FILE = '.volmove-pool.json';
const schema = z.object({ poolId: z.uuid() });

export interface PoolDirectory {
  readonly backend: string;
  readonly name: string;
  readonly path: string;
}

const offline = (pool: PoolDirectory, reason: string, cause?: unknown): ReturnType<typeof volmoveError> =>
  volmoveError('BackendOffline', { place: `${pool.backend}#${pool.name}`, reason }, { cause });

const readIdentity = async (pool: PoolDirectory): Promise<string | undefined> => {
  try {
    const stored = await readDurable(join(pool.path, IDENTITY_FILE));
    return stored === undefined ? undefined : schema.parse(stored).poolId;
  } catch (error) {
    throw offline(pool, `its identity file ${join(pool.path, IDENTITY_FILE)} cannot be read`, error);
  }
};

const requireDirectory = async (pool: PoolDirectory): Promise<void> => {
  try {
    if (!(await stat(pool.path)).isDirectory()) throw offline(pool, `${pool.path} is not a directory`);
  } catch (error) {
    if (isMissing(error)) throw offline(pool, `${pool.path} does not exist`, error);
    throw error;
  }
};

/** Of all that meet a new pool at once, in this agent or another, one makes its identity: link(2) never replaces a file. */
const makeIdentity = async (pool: PoolDirectory): Promise<string> => {
  const poolId = randomUUID();
  const own = join(pool.path, `${IDENTITY_FILE}.${poolId}.new`);
  await writeDurable(own, { poolId });
  try {
    await link(own, join(pool.path, IDENTITY_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await removeDurable(own);
  }
  const made = await readIdentity(pool);
  if (made === undefined) throw offline(pool, `${pool.path} has lost its identity file: is the share mounted?`);
  return made;
};

/** The pool's identity, or BackendOffline. */
export const poolIdentity = async (pool: PoolDirectory, known: KnownPools): Promise<string> => {
  await requireDirectory(pool);
  const expected = known.idOf(pool.backend, pool.name);
  const found = await readIdentity(pool);
  if (expected !== undefined) {
    if (found === undefined) throw offline(pool, `${pool.path} has lost its identity file: is the share mounted?`);
    if (found !== expected) throw offline(pool, `${pool.path} holds another pool (${found}, expected ${expected})`);
    return found;
  }
  const poolId = found ?? (await makeIdentity(pool));
  await known.remember(pool.backend, pool.name, poolId);
  return poolId;
};
