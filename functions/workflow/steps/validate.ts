import { volmoveError } from '../../../domain/error.ts';
import { reservationKey } from '../../../domain/host/capacity.ts';
import { findPool, type Host, isUp } from '../../../domain/host/host.ts';
import { availableBytes } from '../../../domain/host/pool.ts';
import { wayOf } from '../../../domain/migration/way.ts';
import { formatPlacement, type Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { spaceNeeded } from '../../shared/space-needed.ts';
import { type Claimed, readClaimed } from '../claimed.ts';
import type { Run } from '../handler.ts';

/** What the state machine needs to know for its timers; nothing else travels in it. */
export interface Validated {
  readonly from: string;
  readonly to: string;
  readonly prepareSeconds: number;
  readonly copySeconds: number;
  readonly verifySeconds: number;
  readonly removeSeconds: number;
  /** `finish`: an earlier run has begun to switch over, this one only goes forward. */
  readonly way: 'copy' | 'backend' | 'finish';
}

const requireHost = async (deps: Deps, place: Placement): Promise<Host> => {
  const host = await deps.store.hosts.get(place.hostId);
  if (!host || !isUp(host, deps.clock.nowMs())) throw volmoveError('HostUnavailable', { host: formatPlacement(place) });
  const pool = findPool(host, place);
  if (!pool) throw volmoveError('PoolNotFound', { place: formatPlacement(place) });
  if (pool.state !== 'up')
    throw volmoveError('BackendOffline', {
      place: formatPlacement(place),
      reason: pool.reason ?? 'the agent reports it offline',
    });
  return host;
};

/** The pool's reservation for this migration; undefined while the pool was never reported. */
const requireCapacity = async (deps: Deps, host: Host, { migration, volume }: Claimed): Promise<void> => {
  const place = migration.destination;
  const poolId = findPool(host, place)?.poolId;
  const pool = poolId === undefined ? undefined : await deps.store.pools.get(poolId);
  const { run, carriesOn } = volume.claim;
  if (!pool || Object.hasOwn(pool.reservations, reservationKey(migration.id, run))) return;
  const needBytes = await spaceNeeded(deps)(volume, migration.id, carriesOn);
  if (availableBytes(pool) < needBytes) {
    throw volmoveError('CapacityShort', {
      place: formatPlacement(place),
      needBytes,
      freeBytes: availableBytes(pool),
    });
  }
};

/** Both hosts, and the space, unless the backend moves the volume by itself without taking any. */
const requireAll = async (deps: Deps, claimed: Claimed): Promise<Validated['way']> => {
  const { migration, volume } = claimed;
  const from = await requireHost(deps, migration.source);
  const to = await requireHost(deps, migration.destination);
  const found =
    volume.location && wayOf({ ...migration, source: volume.location, options: volume.claim.options }, from, to);
  if (found?.way === 'backend' && !found.takesSpace) return 'backend';
  await requireCapacity(deps, to, claimed);
  return found?.way ?? 'copy';
};

/** Validate: everything that can be known before the first byte: both hosts up, the pool there, online and large enough. */
export const validate =
  (deps: Deps) =>
  async (run: Run): Promise<Validated> => {
    const claimed = await readClaimed(deps)(run);
    const { migration } = claimed;
    const switching = claimed.volume.claim.phase === 'switching';
    const way = switching ? 'finish' : await requireAll(deps, claimed);
    const { stepTimeoutSeconds, copyTimeoutSeconds, removalWaitSeconds } = deps.settings;
    return {
      from: formatPlacement(migration.source),
      to: formatPlacement(migration.destination),
      prepareSeconds: stepTimeoutSeconds,
      copySeconds: copyTimeoutSeconds,
      verifySeconds: copyTimeoutSeconds,
      removeSeconds: removalWaitSeconds,
      way,
    };
  };
