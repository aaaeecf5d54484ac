import { volmoveError } from '../../domain/error.ts';
import { newPool, reservationKey, reserveCapacity } from '../../domain/host/capacity.ts';
import { findPool, type PoolReport } from '../../domain/host/host.ts';
import type { Reservation } from '../../domain/migration/migration.ts';
import { formatPlacement } from '../../domain/placement.ts';
import type { Claim, Volume } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';
import { spaceNeeded } from './space-needed.ts';

/** Space for what a run is about to make. The migration is told of it before it is taken, so that a rollback gives it back. */
export interface Wanted {
  readonly pool: PoolReport;
  readonly reservation: Reservation;
}

export const wantedSpace =
  (deps: Pick<Deps, 'store'>) =>
  async (volume: Volume & { claim: Claim }): Promise<Wanted> => {
    const { run, destination: place, carriesOn, migrationId } = volume.claim;
    const host = await deps.store.hosts.get(place.hostId);
    const pool = host && findPool(host, place);
    if (!pool) throw volmoveError('PoolNotFound', { place: formatPlacement(place) });
    const bytes = await spaceNeeded(deps)(volume, migrationId, carriesOn);
    return { pool, reservation: { poolId: pool.poolId, bytes, run } };
  };

export const takeSpace =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migrationId, run, destination }: Claim, { pool, reservation }: Wanted): Promise<void> => {
    const { poolId, bytes } = reservation;
    // upkeep may not have met the pool yet: what its host reported stands until it does
    if (!(await deps.store.pools.get(poolId)))
      await deps.store.pools.create(newPool(poolId, pool.totalBytes, pool.freeBytes));
    await deps.store.pools.apply(
      [poolId],
      reserveCapacity(reservationKey(migrationId, run), bytes, formatPlacement(destination)),
    );
  };
