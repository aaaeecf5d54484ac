import { volmoveError } from '../../../domain/error.ts';
import { isUp, poolsOf } from '../../../domain/host/host.ts';
import { type Placement, parsePlacement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';

export interface ManagedPool {
  readonly place: Placement;
  readonly poolId: string;
}

/** The one that a request speaks of: hosts and clusters are asked for in one way, and volmove has no clusters. */
export const hostAsked = (host: string | null | undefined, cluster: string | null | undefined): string => {
  if (!host === !cluster)
    throw volmoveError('InvalidRequest', {
      reason: 'Invalid input received: One and only one of cluster and host must be set.',
    });
  if (!host) throw volmoveError('HostNotFound', { host: cluster ?? '' });
  return host;
};

/** A pool that can be looked into now; its name may be left out where its backend has no other. Throws HostNotFound and HostNotUp. */
export const managedPool =
  (deps: Pick<Deps, 'store' | 'clock'>) =>
  async (text: string): Promise<ManagedPool> => {
    const asked = parsePlacement(text);
    const host = asked && (await deps.store.hosts.get(asked.hostId));
    const pools = host ? poolsOf(host).filter(({ place }) => place.backend === asked.backend) : [];
    const [found, ...more] = pools.filter(({ place }) => asked?.pool === undefined || place.pool === asked.pool);
    if (!host || !found || more.length > 0) throw volmoveError('HostNotFound', { host: text });
    if (!isUp(host, deps.clock.nowMs())) throw volmoveError('HostNotUp', { host: text, reason: 'it is down' });
    const { place, pool } = found;
    if (pool.state !== 'up' || pool.poolId === '')
      throw volmoveError('HostNotUp', { host: text, reason: pool.reason ?? 'its pool is offline' });
    return { place, poolId: pool.poolId };
  };
