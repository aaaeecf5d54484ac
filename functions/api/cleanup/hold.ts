import { type CleanupEntry, newCleanup } from '../../../domain/cleanup.ts';
import { addMigrationCleanup } from '../../../domain/migration/end.ts';
import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import { parseObjectName } from '../../../domain/names.ts';
import type { Placement } from '../../../domain/placement.ts';
import { addVolumeCleanup } from '../../../domain/volume/lifecycle.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { migrationEntries, volumeEntries } from '../../shared/entry-owners.ts';
import type { EntryOwner } from '../../workflow/dispatch/removal.ts';

/** An object that nobody has an entry for, and what is known of whose it was. */
export interface Orphan {
  readonly objectName: string;
  readonly objectId: string | null;
  readonly place: Placement;
  readonly volume: Volume | undefined;
  readonly migration: Migration | undefined;
}

const runOf = (objectName: string): number | null => {
  const made = parseObjectName(objectName)?.made;
  return made && 'run' in made ? made.run : null;
};

const hasEntry = (entries: readonly CleanupEntry[], objectName: string): boolean =>
  entries.some((entry) => entry.objectName === objectName);

/**
 * Writes the entry first, as for any removal: into the migration whose run has made the object, else into its volume. Undefined
 * when neither is there to hold it, or has held it once and seen it go.
 */
export const hold =
  (deps: Deps) =>
  async ({ volume, migration, ...orphan }: Orphan): Promise<EntryOwner | undefined> => {
    const nowMs = deps.clock.nowMs();
    const object = { objectName: orphan.objectName, objectId: orphan.objectId, ...orphan.place };
    const run = runOf(orphan.objectName);
    if (migration && isEnded(migration) && !hasEntry(migration.cleanup, orphan.objectName)) {
      const entry = newCleanup(object, 'destination', run);
      await deps.store.migrations.apply([migration.id], addMigrationCleanup(entry, nowMs));
      return migrationEntries(deps, migration);
    }
    if (volume && !hasEntry(volume.cleanup, orphan.objectName)) {
      await deps.store.volumes.apply([volume.id], addVolumeCleanup(newCleanup(object, 'volume', run), nowMs));
      return volumeEntries(deps, volume);
    }
    return undefined;
  };
