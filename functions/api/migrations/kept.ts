import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import type { Retained } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';

/** What volumes keep of their migrations: it stands in the volume alone, which is read only where there may be something. */

const mayKeep = (migration: Migration): boolean => {
  const { sourceRetentionSeconds, destinationRetentionSeconds = 0 } = migration.options;
  if (!isEnded(migration) || migration.restored) return false;
  return migration.stage.state === 'succeeded' ? sourceRetentionSeconds > 0 : destinationRetentionSeconds > 0;
};

export const findKept =
  (deps: Pick<Deps, 'store'>) =>
  async (migrations: readonly Migration[]): Promise<ReadonlyMap<string, readonly Retained[]>> => {
    const volumeIds = new Set(migrations.filter(mayKeep).map(({ volumeId }) => volumeId));
    const volumes = await deps.store.volumes.getMany([...volumeIds].map((id): [string] => [id]));
    const kept = new Map<string, readonly Retained[]>();
    for (const one of volumes.flatMap(({ retained }) => retained))
      kept.set(one.migrationId, [...(kept.get(one.migrationId) ?? []), one]);
    return kept;
  };
