import { addMigrationCleanup } from '../../domain/migration/end.ts';
import { entryOf } from '../../domain/volume/retained.ts';
import type { Retained } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';

/** What is kept no longer gets its cleanup entry before it leaves `retained[]`; a restore is told of by the same write. */
export const writeCleanupEntry =
  (deps: Pick<Deps, 'store' | 'clock'>) =>
  async (kept: Retained): Promise<void> => {
    const rule = addMigrationCleanup(entryOf(kept), deps.clock.nowMs(), kept.restored);
    await deps.store.migrations.apply([kept.migrationId], rule);
  };
