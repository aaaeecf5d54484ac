import { volmoveError } from '../../../domain/error.ts';
import type { Deps } from '../../shared/deps.ts';
import { migrationEntries } from '../../shared/entry-owners.ts';
import { settleTries, tellCleanupOnce } from '../../shared/settle-cleanup.ts';
import type { Run } from '../handler.ts';

/** RecordCleanup: what the removal came to. What is not gone yet is the sweeper's from here on. */
export const recordCleanup =
  (deps: Deps) =>
  async ({ migrationId }: Run): Promise<{ left: number }> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    await settleTries(deps)(migrationEntries(deps, migration));
    const settled = (await deps.store.migrations.get(migrationId)) ?? migration;
    await tellCleanupOnce(deps)(settled);
    return { left: settled.cleanup.filter((entry) => entry.state === 'todo').length };
  };
