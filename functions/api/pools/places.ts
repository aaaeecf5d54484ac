import { volmoveError } from '../../../domain/error.ts';
import { newPool } from '../../../domain/host/capacity.ts';
import { type Host, isUp, type PoolReport, poolsOf } from '../../../domain/host/host.ts';
import { availableBytes, countLeftBytes } from '../../../domain/host/pool.ts';
import { formatPlacement, type Placement, type PlacementRequest, parsePlacement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';

/** Pools that something may be put into now, and how one is chosen when the request leaves it open. */

export interface Place {
  readonly place: Placement;
  readonly pool: PoolReport;
  /** Free and not reserved by a migration that is on its way. */
  readonly availableBytes: number;
}

const withReservations = async (deps: Pick<Deps, 'store'>, hosts: readonly Host[]): Promise<Place[]> => {
  const reported = hosts.flatMap((host) => poolsOf(host).map((one) => ({ ...one, atMs: host.heartbeatAtMs })));
  const ids = [...new Set(reported.map(({ pool }) => pool.poolId))];
  const items = await deps.store.pools.getMany(ids.map((id) => [id] as [string]));
  const known = new Map(items.map((item) => [item.id, item]));
  return reported.map(({ place, pool, atMs }) => {
    const item = known.get(pool.poolId) ?? newPool(pool.poolId, pool.totalBytes, pool.freeBytes);
    // a migration that ended since has filled space that this report does not know of
    const freeBytes = item.reportedAtMs > atMs ? item.freeBytes : pool.freeBytes;
    return { place, pool, availableBytes: availableBytes({ leftBytes: countLeftBytes({ ...item, freeBytes }) }) };
  });
};

const roomiest = (places: readonly Place[]): Place | undefined =>
  places
    .filter(({ pool }) => pool.state === 'up')
    .reduce<Place | undefined>(
      (best, place) => (best && best.availableBytes >= place.availableBytes ? best : place),
      undefined,
    );

/** A destination as it was asked for: pools of a host that is up, online or not. Empty when there is no such place. */
const placesAt = async (deps: Pick<Deps, 'store' | 'clock'>, asked: PlacementRequest): Promise<Place[]> => {
  const host = await deps.store.hosts.get(asked.hostId);
  if (!host || !isUp(host, deps.clock.nowMs())) return [];
  return (await withReservations(deps, [host])).filter(
    ({ place }) => place.backend === asked.backend && (asked.pool === undefined || place.pool === asked.pool),
  );
};

/** Throws HostUnavailable: the text is no place, or its host is unknown or down, or the pool is not there or offline. */
export const resolvePlace =
  (deps: Pick<Deps, 'store' | 'clock'>) =>
  async (text: string): Promise<Place> => {
    const asked = parsePlacement(text);
    const found = asked && roomiest(await placesAt(deps, asked));
    if (!found) throw volmoveError('HostUnavailable', { host: text });
    return found;
  };

/** Throws CapacityShort. */
export const requireSpace = ({ place, availableBytes }: Place, needBytes: number): void => {
  if (availableBytes < needBytes)
    throw volmoveError('CapacityShort', { place: formatPlacement(place), needBytes, freeBytes: availableBytes });
};

/** The pool with the most free space on any host that is up; undefined when there is none. */
export const roomiestPlace = async (deps: Pick<Deps, 'store' | 'clock'>): Promise<Place | undefined> => {
  const nowMs = deps.clock.nowMs();
  const hosts = (await deps.store.hosts.all()).filter((host) => isUp(host, nowMs));
  return roomiest(await withReservations(deps, hosts));
};
