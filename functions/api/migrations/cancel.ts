import { volmoveError } from '../../../domain/error.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import { wishCancel } from '../../../domain/migration/run.ts';
import { cancelJob } from '../../shared/cancel-job.ts';
import type { Deps } from '../../shared/deps.ts';
import { activeRef, findMigration } from './find.ts';

export interface Cancel {
  readonly migrationId: string;
  readonly by: string;
}

/** While a backend is switching over the volume only goes forward. */
const refuseWhileSwitching = async (deps: Deps, { id, volumeId }: Migration): Promise<void> => {
  const volume = await deps.store.volumes.get(volumeId);
  if (volume?.claim?.migrationId === id && volume.claim.phase === 'switching')
    throw volmoveError('TooLate', { id, state: 'its volume is being switched over' });
};

/**
 * A wish: on the migration first, where the next step reads it, then on the job that is active, whose agent stops by it. Who
 * dies in between leaves the rest to the sweeper. Throws TooLate when the migration has ended.
 */
export const cancelMigration =
  (deps: Deps) =>
  async ({ migrationId, by }: Cancel): Promise<Migration> => {
    const found = await findMigration(deps)(migrationId);
    await refuseWhileSwitching(deps, found);
    const { value } = await deps.store.migrations.apply([found.id], wishCancel(by, deps.clock.nowMs()));
    const ref = activeRef(value);
    if (ref) await cancelJob(deps)(ref.hostId, ref.jobId, volmoveError('Cancelled', { by }).toFailure());
    return value;
  };
