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

/**
 * How every step from Validate to Finalize begins: a consistent read, and on to ReleaseClaim when the volume does not carry
 * this run, when the run was started to roll back, or when somebody wished to cancel (design section 3).
 */
export const readClaimed =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migrationId, run }: Run): Promise<Claimed> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    const volume = await deps.store.volumes.get(migration.volumeId);
    if (!volume) throw volmoveError('VolumeNotFound', { id: migration.volumeId });
    if (!holdsClaim(volume, migrationId, run)) throw claimLost(volume, migrationId, run);
    if (volume.claim.rollback) throw new VolmoveError(volume.claim.rollback);
    if (migration.wishes.cancel) throw volmoveError('Cancelled', { by: migration.wishes.cancel.by });
    return { migration, volume };
  };
