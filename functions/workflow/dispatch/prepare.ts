import { volmoveError } from '../../../domain/error.ts';
import { newPool, reservationKey, reserveCapacity } from '../../../domain/host/capacity.ts';
import { findPool } from '../../../domain/host/host.ts';
import { migrationJobId, type Waiting } from '../../../domain/job/job.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { runObjectName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { spaceNeeded } from '../../shared/space-needed.ts';
import type { Claimed } from '../claimed.ts';
import { honourWishes, offerJob } from './offer.ts';

/**
 * PrepareDestination: reserves the capacity, writes down which object this run is about to make or to go on with, and has the
 * destination's agent make or find it and open its export to the source's agent alone.
 */
export const dispatchPrepare =
  (deps: Deps) =>
  async ({ migration, volume }: Claimed, waiting: Waiting): Promise<void> => {
    const { run, destination: place, carriesOn } = volume.claim;
    const [sourceHost, host] = await Promise.all([
      deps.store.hosts.get(migration.source.hostId),
      deps.store.hosts.get(place.hostId),
    ]);
    if (!sourceHost) throw volmoveError('HostUnavailable', { host: formatPlacement(migration.source) });
    const pool = host && findPool(host, place);
    if (!pool) throw volmoveError('PoolNotFound', { place: formatPlacement(place) });
    const job = {
      hostId: place.hostId,
      jobId: migrationJobId(migration.id, run, 'destination.prepare'),
      kind: 'destination.prepare',
      run,
    } as const;
    const { poolId } = pool;
    const objectName = carriesOn?.object.objectName ?? runObjectName(volume.id, migration.id, run);
    const bytes = await spaceNeeded(deps)(volume, migration.id, carriesOn);

    // the migration knows of the reservation and the object before either exists, so a rollback finds both
    await deps.store.migrations.apply(
      [migration.id],
      enterPhase({
        run,
        phase: 'preparing',
        who: 'execution',
        nowMs: deps.clock.nowMs(),
        job,
        object: { run, objectName, placement: place },
        reservation: { poolId, bytes, run },
      }),
    );
    // upkeep may not have met the pool yet: what its host reported stands until it does
    if (!(await deps.store.pools.get(poolId)))
      await deps.store.pools.create(newPool(poolId, pool.totalBytes, pool.freeBytes));
    await deps.store.pools.apply(
      [poolId],
      reserveCapacity(reservationKey(migration.id, run), bytes, formatPlacement(place)),
    );
    const offered = await offerJob(deps)(
      {
        hostId: place.hostId,
        id: job.jobId,
        volumeId: volume.id,
        projectId: volume.projectId,
        migrationId: migration.id,
        run,
        spec: {
          kind: 'destination.prepare',
          input: {
            objectName,
            place,
            sizeBytes: volume.sizeBytes,
            admitFingerprint: sourceHost.fingerprint,
            ...(carriesOn ? { existingId: carriesOn.object.objectId } : {}),
          },
        },
      },
      waiting,
    );
    await honourWishes(deps)(migration.id, offered);
  };
