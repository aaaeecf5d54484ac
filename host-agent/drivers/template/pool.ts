import { volmoveError } from '../../../domain/error.ts';
import type { PoolReport } from '../../../domain/host/host.ts';
import type { KnownPools } from '../registry.ts';
import type { Connect, Storage } from './storage.ts';

/** A pool as it is reached, and what it has. */
export interface TemplatePool {
  readonly name: string;
  readonly connect: Connect;
}

export interface TemplateBackend {
  readonly backend: string;
  readonly pools: readonly TemplatePool[];
  readonly knownPools: KnownPools;
}

export const placeOf = ({ backend }: TemplateBackend, pool: string): string => `${backend}#${pool}`;

/**
 * Away is not gone: whatever keeps the pool from being reached, and another pool in its place, is BackendOffline. Only a pool that is
 * known to be the right one may say that an object is not there.
 */
export const onlinePool = async (mine: TemplateBackend, name: string, signal: AbortSignal): Promise<Storage> => {
  const { backend, knownPools } = mine;
  const place = placeOf(mine, name);
  const pool = mine.pools.find((one) => one.name === name);
  if (!pool) throw volmoveError('PoolNotFound', { place });
  const storage = await pool.connect(signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw volmoveError('BackendOffline', { place, reason: (cause as Error).message }, { cause });
  });
  const known = knownPools.idOf(backend, name);
  if (known !== undefined && known !== storage.poolId)
    throw volmoveError('BackendOffline', { place, reason: `it is ${storage.poolId}, and was ${known}` });
  if (known === undefined) await knownPools.remember(backend, name, storage.poolId);
  return storage;
};

const amountsOf = ({ capacityBytes, items }: Storage) => {
  const provisionedBytes = [...items.values()].reduce((sum, { content }) => sum + content.length, 0);
  return { totalBytes: capacityBytes, freeBytes: Math.max(0, capacityBytes - provisionedBytes), provisionedBytes };
};

/** For the heartbeat: a pool that cannot be reached is offline with the reason, and never left out. */
export const reportPool = async (mine: TemplateBackend, name: string, signal: AbortSignal): Promise<PoolReport> => {
  const base = { name, thin: false, devicePath: null };
  try {
    const storage = await onlinePool(mine, name, signal);
    return { ...base, poolId: storage.poolId, state: 'up', reason: null, ...amountsOf(storage) };
  } catch (error) {
    signal.throwIfAborted();
    const nothing = { totalBytes: 0, freeBytes: 0, provisionedBytes: 0 };
    const poolId = mine.knownPools.idOf(mine.backend, name) ?? '';
    return { ...base, poolId, state: 'offline', reason: (error as Error).message, ...nothing };
  }
};
