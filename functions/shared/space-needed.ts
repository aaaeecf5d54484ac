import { migrationJobId } from '../../domain/job/job.ts';
import type { BegunDestination, Volume } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';

/**
 * What a run may still write to its destination's pool: the whole volume, less what the copy has settled that it goes on with. Of
 * a volume that may have changed since then nothing is known.
 */
export const spaceNeeded =
  (deps: Pick<Deps, 'store'>) =>
  async (
    { sizeBytes, writeEpoch, location }: Volume,
    migrationId: string,
    carriesOn: BegunDestination | undefined,
  ): Promise<number> => {
    if (!location || carriesOn?.writeEpoch !== writeEpoch) return sizeBytes;
    const copy = await deps.store.jobs.get(location.hostId, migrationJobId(migrationId, carriesOn.run, 'data.copy'));
    return Math.max(0, sizeBytes - (copy?.progress?.doneBytes ?? 0));
  };
