import type { Decision } from '../../../domain/decision.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import { carryWishes } from '../../shared/carry-wishes.ts';
import type { Deps } from '../../shared/deps.ts';
import { activeRef, findMigration } from './find.ts';

/**
 * Pause, resume, limit and priority: a wish to the migration first, where the next step reads it, then to the job that is active, whose
 * agent goes by it at once. Who dies in between leaves the rest to the sweeper. Throws CannotAdjust with the reason.
 */
export const adjustMigration =
  (deps: Deps) =>
  async (migrationId: string, rule: (migration: Migration) => Decision<Migration>): Promise<Migration> => {
    const found = await findMigration(deps)(migrationId);
    const { value } = await deps.store.migrations.apply([found.id], rule);
    const ref = activeRef(value);
    if (ref) await carryWishes(deps)(value.id, ref.hostId, ref.jobId);
    return value;
  };
