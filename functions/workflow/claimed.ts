import { VolmoveError, volmoveError } from '../../domain/error.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { claimLost } from '../../domain/volume/claim.ts';
import { type Claim, holdsClaim, type Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../shared/deps.ts';
import type { Run } from './handler.ts';

export interface Claimed {
  readonly migration: Migration;
  readonly volume: Volume & { claim: Claim };
}

/** The run's claim, whatever is wished of it: what undoes a move has to go on when all else stops. */
export const readHeld =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migrationId, run }: Run): Promise<Claimed> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    const volume = await deps.store.volumes.get(migration.volumeId);
    if (!volume) throw volmoveError('VolumeNotFound', { id: migration.volumeId });
    if (!holdsClaim(volume, migrationId, run)) throw claimLost(volume, migrationId, run);
    return { migration, volume };
  };

/**
 * How every step from Validate to Finalize begins: a consistent read, and on to ReleaseClaim when the volume does not carry
 * this run, when the run was started to roll back, or when somebody wished to cancel (design section 3). A backend that is
 * switching over is past all of that.
 */
export const readClaimed =
  (deps: Pick<Deps, 'store'>) =>
  async (run: Run): Promise<Claimed> => {
    const { migration, volume } = await readHeld(deps)(run);
    // from there it only goes forward
    if (volume.claim.phase === 'switching') return { migration, volume };
    if (volume.claim.rollback) throw new VolmoveError(volume.claim.rollback);
    if (migration.wishes.cancel) throw volmoveError('Cancelled', { by: migration.wishes.cancel.by });
    return { migration, volume };
  };
