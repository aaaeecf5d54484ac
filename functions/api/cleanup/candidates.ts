import type { ScannedObject } from '../../../domain/job/job.ts';
import { type Judgement, judge } from '../../../domain/leftover.ts';
import { parseObjectName } from '../../../domain/names.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { releasedAmong } from '../../shared/released.ts';

/** What lies in a pool and nobody is known to want, judged on consistent reads of the volumes and migrations in its names. */

export interface InPool {
  readonly place: Placement;
  readonly object: ScannedObject;
}

export interface Candidate extends InPool {
  readonly judgement: Judgement;
  readonly volumeId: string | null;
  readonly migrationId: string | null;
}

const idsOf = (objectName: string): { volumeId: string | null; migrationId: string | null } => {
  const name = parseObjectName(objectName);
  return {
    volumeId: name?.volumeId ?? null,
    migrationId: name?.made && 'run' in name.made ? name.made.migrationId : null,
  };
};

const keys = (ids: readonly (string | null)[]): [string][] =>
  [...new Set(ids.filter((id) => id !== null))].map((id): [string] => [id]);

/** In the order in which they were found; what somebody wants is left out. */
export const candidatesOf =
  (deps: Pick<Deps, 'store' | 'clock'>) =>
  async (found: readonly InPool[]): Promise<Candidate[]> => {
    const named = found.map((one) => ({ ...one, ...idsOf(one.object.objectName) }));
    // the migrations first: one that has ended by then has let go of its objects before the volumes are read
    const migrations = await deps.store.migrations.getMany(keys(named.map((one) => one.migrationId)));
    const volumes = await deps.store.volumes.getMany(keys(named.map((one) => one.volumeId)));
    const migrationOf = new Map(migrations.map((migration) => [migration.id, migration]));
    const volumeOf = new Map(volumes.map((volume) => [volume.id, volume]));
    const nowMs = deps.clock.nowMs();
    const judged = named
      .map((one) => ({
        ...one,
        judgement: judge({
          objectName: one.object.objectName,
          madeAtMs: one.object.madeAtMs,
          volume: volumeOf.get(one.volumeId ?? ''),
          migration: migrationOf.get(one.migrationId ?? ''),
          nowMs,
        }),
      }))
      .filter(({ judgement }) => judgement.verdict !== 'wanted');
    const released = await releasedAmong(deps)(judged);
    return judged.filter((one) => !released(one));
  };

/** The same for one object, with what stands in the store about it. Its age is not asked after. */
export const judgeOne = (deps: Pick<Deps, 'store' | 'clock'>) => async (objectName: string) => {
  const { volumeId, migrationId } = idsOf(objectName);
  const migration = migrationId === null ? undefined : await deps.store.migrations.get(migrationId);
  const volume = volumeId === null ? undefined : await deps.store.volumes.get(volumeId);
  const judgement = judge({ objectName, volume, migration, nowMs: deps.clock.nowMs() });
  return { judgement, volumeId, migration, volume };
};
