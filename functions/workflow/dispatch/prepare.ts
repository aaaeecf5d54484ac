import { volmoveError } from '../../../domain/error.ts';
import { migrationJobId, type Waiting } from '../../../domain/job/job.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { runObjectName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { takeSpace, wantedSpace } from '../../shared/reserve.ts';
import type { Claimed } from '../claimed.ts';
import { dropRefusedMove } from './backend-move.ts';
import { honourWishes, offerJob } from './offer.ts';

/**
 * PrepareDestination: reserves the capacity, writes down which object this run is about to make or to go on with, and has the
 * destination's agent make or find it and open its export to the source's agent alone.
 */
export const dispatchPrepare =
  (deps: Deps) =>
  async ({ migration, volume }: Claimed, waiting: Waiting): Promise<void> => {
    const { run, destination: place, carriesOn } = volume.claim;
    const sourceHost = await deps.store.hosts.get(migration.source.hostId);
    if (!sourceHost) throw volmoveError('HostUnavailable', { host: formatPlacement(migration.source) });
    const job = {
      hostId: place.hostId,
      jobId: migrationJobId(migration.id, run, 'destination.prepare'),
      kind: 'destination.prepare',
      run,
    } as const;
    const objectName = carriesOn?.object.objectName ?? runObjectName(volume.id, migration.id, run);
    const wanted = await wantedSpace(deps)(volume);
    await dropRefusedMove(deps)({ migration, volume });

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
        reservation: wanted.reservation,
      }),
    );
    await takeSpace(deps)(volume.claim, wanted);
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
