import { volmoveError } from '../../../domain/error.ts';
import type { KnownPools } from '../registry.ts';
import type { ClusterView, ClusterViews, Usage } from './cluster-view.ts';
import type { RbdBackend, RbdPool } from './config.ts';

/**
 * The pools of the configuration in the cluster that is there. A pool is known by the cluster's fsid and its number in there, so that
 * another cluster behind the same conf, or a pool that was made anew, is never taken for one that has lost its images.
 */
export interface FoundPool {
  readonly pool: RbdPool;
  readonly place: string;
  /** Of the real pool. */
  readonly poolId: string;
  readonly systemId: string;
  /** `uncounted`: the pool is new, or the manager has just begun. `no-manager`: nobody counts. */
  readonly usage: Usage | 'uncounted' | 'no-manager';
}

export const figuresOf = ({ usage }: Pick<FoundPool, 'usage'>): Usage | undefined =>
  usage === 'uncounted' || usage === 'no-manager' ? undefined : usage;

export interface Cluster {
  /** BackendOffline when it is another pool than it was, or none; PoolNotFound for a name that is not in the configuration. */
  readonly require: (pool: string, signal: AbortSignal) => Promise<FoundPool>;
  /** The same by an answer that is not older than the question: for what writes without an image of ours to hold it to. */
  readonly requireNow: (pool: string, signal: AbortSignal) => Promise<FoundPool>;
  readonly identify: (pool: RbdPool, view: ClusterView) => Promise<FoundPool>;
}

type Backend = Pick<RbdBackend, 'name' | 'pools'>;

export const clusterOf = (backend: Backend, views: ClusterViews, known: KnownPools): Cluster => {
  const placeOf = (pool: string): string => `${backend.name}#${pool}`;

  const identify: Cluster['identify'] = async (pool, { fsid, poolIds, usage }) => {
    const place = placeOf(pool.name);
    const offline = (reason: string) => volmoveError('BackendOffline', { place, reason });
    const id = poolIds.get(pool.pool);
    if (id === undefined) throw offline(`the cluster ${fsid} has no pool ${pool.pool}`);
    const poolId = [fsid, id, ...(pool.namespace === undefined ? [] : [pool.namespace])].join('.');
    const expected = known.idOf(backend.name, pool.name);
    if (expected !== undefined && expected !== poolId)
      throw offline(`there is another pool in its place (${poolId}, expected ${expected})`);
    if (expected === undefined) await known.remember(backend.name, pool.name, poolId);
    const counted = usage ? (usage.get(pool.pool) ?? 'uncounted') : 'no-manager';
    return { pool, place, poolId, systemId: `ceph:${fsid}`, usage: counted };
  };

  const poolOf = (name: string): RbdPool => {
    const pool = backend.pools.find((one) => one.name === name);
    if (!pool) throw volmoveError('PoolNotFound', { place: placeOf(name) });
    return pool;
  };

  return {
    identify,
    require: async (name, signal) => identify(poolOf(name), await views.recent(signal)),
    requireNow: async (name, signal) => identify(poolOf(name), await views.now(signal)),
  };
};

/** Writes into a full pool do not fail, they wait: this much must be left before they are begun. */
const LEAST_FREE_BYTES = 32 * 1024 * 1024;

export const fullness = (where: FoundPool): string | undefined => {
  const { pool } = where;
  const usage = figuresOf(where);
  if (!usage || usage.freeBytes >= LEAST_FREE_BYTES) return undefined;
  const left = `${usage.freeBytes} bytes are left`;
  return usage.quotaBytes > 0
    ? `the pool ${pool.pool} has a quota of ${usage.quotaBytes} bytes, ${usage.storedBytes} are stored; ${left}`
    : `the cluster has no room for the pool ${pool.pool}: ${left}`;
};

export const requireRoom = (found: FoundPool): void => {
  const why = fullness(found);
  if (why !== undefined) throw volmoveError('NoSpace', { reason: `${found.place}: ${why}` });
};
