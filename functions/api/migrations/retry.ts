import { volmoveError } from '../../../domain/error.ts';
import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import { requireRetryable } from '../../../domain/migration/reopen.ts';
import { executionName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { cannotMigrate, unclaimable } from '../../../domain/volume/claim.ts';
import { claimForRetry, whyMovedAway } from '../../../domain/volume/claim-again.ts';
import { keptDestination } from '../../../domain/volume/retry.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { settle } from '../../shared/outcome.ts';
import { reopenClaimed } from '../../shared/reopen.ts';
import { settleLast } from '../../shared/settle-last.ts';
import { spaceNeeded } from '../../shared/space-needed.ts';
import { requireSpace, resolvePlace } from '../pools/places.ts';
import { findMigration } from './find.ts';
import { takesSpace, wayTo } from './way.ts';

export interface Retry {
  readonly migrationId: string;
  readonly by: string;
}

const volumeOf = async (deps: Deps, { volumeId }: Migration): Promise<Volume> => {
  const volume = await deps.store.volumes.get(volumeId);
  if (!volume) throw volmoveError('VolumeNotFound', { id: volumeId });
  return volume;
};

/** The claim of a retry that was asked for before, and is under way. */
const isRetried = ({ id }: Migration, { claim }: Volume): boolean =>
  claim?.migrationId === id && claim.run > 1 && !claim.rollback;

/** What can be known at once is refused at once, as a migrate would be. */
const requirePossible = async (deps: Deps, migration: Migration, volume: Volume): Promise<void> => {
  const why = unclaimable(volume) ?? whyMovedAway(volume, migration.source);
  if (why !== undefined) throw cannotMigrate(volume, why);
  const place = await resolvePlace(deps)(formatPlacement(migration.destination));
  const kept = keptDestination(volume, migration.id, deps.clock.nowMs());
  if (!takesSpace(await wayTo(deps)(volume, place.place, migration.options))) return;
  requireSpace(place, await spaceNeeded(deps)(volume, migration.id, kept));
};

/** The end of the run before is recorded and told before the claim: from then on nobody would. */
const claimNext = async (deps: Deps, asked: Migration, before: Volume): Promise<Volume> => {
  const settled = await settleLast(deps)(before);
  const migration = await findMigration(deps)(asked.id);
  requireRetryable(migration);
  await requirePossible(deps, migration, before);
  if (isEnded(migration)) await settle(deps)(migration);
  const { source, destination, options, run } = migration;
  const nowMs = deps.clock.nowMs();
  const rule = claimForRetry({
    migrationId: migration.id,
    run: run + 1,
    source,
    destination,
    options,
    settled,
    nowMs,
  });
  return (await deps.store.volumes.apply([before.id], rule)).value;
};

/**
 * The next run of a migration that has failed: the claim, which takes what was kept for it; then the migration goes on; then the
 * execution. Whatever is missing after the claim the sweeper does. Asked again while that run is under way it changes nothing.
 */
export const retryMigration =
  (deps: Deps) =>
  async ({ migrationId, by }: Retry): Promise<Migration> => {
    const found = await findMigration(deps)(migrationId);
    const before = await volumeOf(deps, found);
    const volume = isRetried(found, before) ? before : await claimNext(deps, found, before);
    const { claim } = volume;
    const migration = await reopenClaimed(deps)(await findMigration(deps)(migrationId), volume, by);
    if (claim?.migrationId === migrationId) {
      const { run } = claim;
      await deps.executions.start('migrate-volume', executionName(migrationId, run), { migrationId, run });
    }
    return migration;
  };
