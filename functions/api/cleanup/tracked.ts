import type { CleanupEntry } from '../../../domain/cleanup.ts';
import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { migrationEntries, volumeEntries } from '../../shared/entry-owners.ts';
import type { EntryOwner } from '../../workflow/dispatch/removal.ts';

/** Cleanup entries that are still to do, of migrations and of volumes: what is known to be left. */
export interface Tracked {
  readonly entry: CleanupEntry;
  readonly owner: EntryOwner;
  readonly why: string;
  /** False while the migration goes on: its removals come after its end. */
  readonly mayBeTried: boolean;
}

const whyOfMigration = ({ role, run }: CleanupEntry, { id, stage }: Migration): string =>
  role === 'source'
    ? `what the volume lived on before migration ${id}`
    : `made for run ${run ?? '?'} of migration ${id}, which ${stage.state === 'running' ? 'goes on' : stage.state}`;

const whyOfVolume = ({ id, status }: Volume): string =>
  status === 'deleting' || status === 'error_deleting' ? `volume ${id} is deleted` : `volume ${id} has given it up`;

const ofMigration = (deps: Deps, migration: Migration): Tracked[] =>
  migration.cleanup
    .filter((entry) => entry.state === 'todo')
    .map((entry) => ({
      entry,
      owner: migrationEntries(deps, migration),
      why: whyOfMigration(entry, migration),
      mayBeTried: isEnded(migration),
    }));

const ofVolume = (deps: Deps, volume: Volume): Tracked[] =>
  volume.cleanup
    .filter((entry) => entry.state === 'todo')
    .map((entry) => ({ entry, owner: volumeEntries(deps, volume), why: whyOfVolume(volume), mayBeTried: true }));

const AT_ONCE = 500;

const pieces = (ids: readonly string[]): [string][][] =>
  Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, i) =>
    ids.slice(i * AT_ONCE, (i + 1) * AT_ONCE).map((id): [string] => [id]),
  );

/** Whatever has an entry to do is open; of many that are under way, few have any. */
export const trackedEntries = async (deps: Deps): Promise<Tracked[]> => {
  const open = await deps.store.open();
  const found: Tracked[] = [];
  for (const ids of pieces(open.migrations))
    found.push(...(await deps.store.migrations.getMany(ids)).flatMap((migration) => ofMigration(deps, migration)));
  for (const ids of pieces(open.volumes))
    found.push(...(await deps.store.volumes.getMany(ids)).flatMap((volume) => ofVolume(deps, volume)));
  return found;
};
