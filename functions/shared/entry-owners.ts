import { cleanupDone } from '../../domain/cleanup.ts';
import { cleanupEvent } from '../../domain/event.ts';
import { changeMigrationCleanup } from '../../domain/migration/end.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import { changeVolumeCleanup } from '../../domain/volume/lifecycle.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { EntryOwner } from '../workflow/dispatch/removal.ts';
import type { Deps } from './deps.ts';

/** The two places where cleanup entries stand, as the removal code sees them. */

export const migrationEntries = (deps: Deps, migration: Migration): EntryOwner => ({
  volumeId: migration.volumeId,
  projectId: migration.projectId,
  migrationId: migration.id,
  entries: async () => (await deps.store.migrations.get(migration.id))?.cleanup ?? [],
  change: async (objectName, change) => {
    const nowMs = deps.clock.nowMs();
    const changed = await deps.store.migrations.apply(
      [migration.id],
      changeMigrationCleanup(objectName, change, nowMs),
    );
    if (!changed.wrote || !isEnded(changed.value) || !cleanupDone(changed.value.cleanup)) return;
    const notice = changed.value.cleanupNotices.at(-1);
    // told before: what was kept until now has gone, too
    if (notice?.result !== 'done' || notice.atMs !== nowMs) return;
    // this write has marked it as told: a crash in between loses a notice, not an object
    await deps.notifier.notify([cleanupEvent(changed.value, 'done', nowMs)]);
  },
});

export const volumeEntries = (deps: Deps, volume: Volume): EntryOwner => ({
  volumeId: volume.id,
  projectId: volume.projectId,
  migrationId: null,
  entries: async () => (await deps.store.volumes.get(volume.id))?.cleanup ?? [],
  change: async (objectName, change) => {
    await deps.store.volumes.apply([volume.id], changeVolumeCleanup(objectName, change, deps.clock.nowMs()));
  },
});
