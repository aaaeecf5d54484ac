import { volmoveError } from '../../../domain/error.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import { hasRecorded } from '../../../domain/migration/reopen.ts';
import type { Deps } from '../../shared/deps.ts';
import { recordOutcome, settle } from '../../shared/outcome.ts';
import type { Run } from '../handler.ts';

/** NotifyEnded: the volume's outcome goes into the migration's item, the capacity back to the pool, the event to the bus. */
export const notifyEnded =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<{ state: string }> => {
    let migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    // a retry is under way, or has ended: this run's end was told before that was let in
    if (migration.run > run) return { state: migration.stage.state };
    if (!hasRecorded(migration, run)) {
      const outcome = (await deps.store.volumes.get(migration.volumeId))?.lastOutcome;
      if (outcome?.migrationId !== migrationId || outcome.run < run) {
        throw volmoveError('Internal', {
          reason: `run ${run} of migration ${migrationId} has no outcome on its volume`,
        });
      }
      migration = await recordOutcome(deps)(outcome, 'execution');
    }
    if (migration && isEnded(migration)) await settle(deps)(migration);
    return { state: migration?.stage.state ?? 'gone' };
  };
