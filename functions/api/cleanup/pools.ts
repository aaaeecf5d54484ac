import { volmoveError } from '../../../domain/error.ts';
import { type Host, isUp, poolsOf } from '../../../domain/host/host.ts';
import { formatPlacement, type Placement, parsePlacement } from '../../../domain/placement.ts';

/** Which pools are asked, through which host; and which cannot be. */

export interface PoolCursor {
  readonly place: Placement;
  /** Names behind this one; null: from the first. */
  readonly after: string | null;
}

export interface NotAsked {
  readonly host: string;
  readonly reason: string;
}

export interface PoolsToAsk {
  readonly pools: readonly PoolCursor[];
  readonly notAsked: readonly NotAsked[];
}

/** A pool that several hosts serve is asked once; only when none of them can is it not asked. */
export const poolsToAsk = (hosts: readonly Host[], nowMs: number): PoolsToAsk => {
  const served = hosts
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((host) => poolsOf(host).map(({ place, pool }) => ({ host, place, pool })));
  const identity = ({ place, pool }: (typeof served)[number]): string => pool.poolId || formatPlacement(place);
  const asked = new Map<string, Placement>();
  for (const one of served) {
    const key = identity(one);
    if (!asked.has(key) && isUp(one.host, nowMs) && one.pool.state === 'up') asked.set(key, one.place);
  }
  const notAsked = served
    .filter((one) => !asked.has(identity(one)))
    .map(({ host, place, pool }) => ({
      host: formatPlacement(place),
      reason: isUp(host, nowMs)
        ? `the pool is offline: ${pool.reason ?? 'the reason is not known'}`
        : `host ${host.id} is down`,
    }));
  return { pools: [...asked.values()].map((place) => ({ place, after: null })), notAsked };
};

/** Throws HostUnavailable for what is no place. */
export const placeOf = (text: string): Placement => {
  const asked = parsePlacement(text);
  if (asked?.pool === undefined) throw volmoveError('HostUnavailable', { host: text });
  return { hostId: asked.hostId, backend: asked.backend, pool: asked.pool };
};
