import { volmoveError } from '../../domain/error.ts';
import { isJobEnded, writesToPeer } from '../../domain/job/job.ts';
import { markJobsEnded, refuseMigration } from '../../domain/migration/end.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import { copiedWishes, endPause, isPauseOver } from '../../domain/migration/wishes.ts';
import type { Outcome, Volume } from '../../domain/volume/volume.ts';
import { cancelJob } from '../shared/cancel-job.ts';
import { carryWishes, differs } from '../shared/carry-wishes.ts';
import type { Deps } from '../shared/deps.ts';
import { migrationEntries } from '../shared/entry-owners.ts';
import { allJobsEnded, recordOutcome, settle } from '../shared/outcome.ts';
import { tellCleanupOnce } from '../shared/settle-cleanup.ts';
import { lookAfterJob } from './lost-hosts.ts';
import { tellPeerAddress } from './peer-address.ts';
import { retryRemovals } from './removals.ts';

const graceOver = (deps: Deps, sinceMs: number): boolean => deps.clock.nowMs() - sinceMs >= deps.settings.sweepGraceMs;

/** A request that never reached its volume; whose claim comes late finds it refused and gives the claim back. */
const sweepRequested = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  if (volume?.claim?.migrationId === migration.id || !graceOver(deps, migration.requestedAtMs)) return;
  if (volume?.lastOutcome?.migrationId === migration.id) return endFromOutcome(deps, migration, volume);
  const reason = volmoveError('NeverClaimed', {}).toFailure();
  await deps.store.migrations.apply([migration.id], refuseMigration(reason, 'sweeper', deps.clock.nowMs()));
};

/** The volume's word; of a volume that is gone there is none any more, then it was not moved. */
const outcomeFor = (migration: Migration, volume: Volume | undefined): Outcome | undefined => {
  if (volume) return volume.lastOutcome?.migrationId === migration.id ? volume.lastOutcome : undefined;
  const reason = volmoveError('VolumeNotFound', { id: migration.volumeId }).toFailure();
  return { migrationId: migration.id, run: migration.run, atMs: migration.updatedAtMs, result: 'error', reason };
};

/** The outcome stands but nobody recorded it: its execution has died, or is slower than the grace. */
const endFromOutcome = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  const outcome = outcomeFor(migration, volume);
  if (!outcome || !graceOver(deps, outcome.atMs)) return;
  const ended = await recordOutcome(deps)(outcome, 'sweeper');
  if (ended) await settle(deps)(ended);
};

/**
 * Jobs of a run that has lost its claim are cancelled; the active one is looked after. A copy ends with either of its hosts: the
 * source's agent may wait for a destination that will never answer.
 */
const sweepJobs = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  const claimed = volume?.claim?.migrationId === migration.id ? volume.claim : undefined;
  const active = migration.jobs.at(-1);
  for (const ref of migration.jobs) {
    const inVain = claimed?.run !== ref.run;
    if (!inVain && ref.jobId !== active?.jobId) continue;
    const needs = writesToPeer(ref.kind) ? [ref.hostId, migration.destination.hostId] : [ref.hostId];
    const job = await lookAfterJob(deps)(ref.hostId, ref.jobId, needs);
    if (!job || isJobEnded(job) || job.control.cancel) continue;
    const { cancel } = migration.wishes;
    if (inVain) {
      const why = volmoveError('ClaimLost', { reason: 'its run has no claim any more' });
      await cancelJob(deps)(ref.hostId, ref.jobId, why.toFailure());
    } else if (cancel) {
      await cancelJob(deps)(ref.hostId, ref.jobId, volmoveError('Cancelled', { by: cancel.by }).toFailure());
    } else {
      if (differs(job, copiedWishes(migration))) await carryWishes(deps)(migration.id, ref.hostId, ref.jobId);
      await tellPeerAddress(deps)(job, migration.destination.hostId);
    }
  }
};

/** Returns the migration as it stands, a pause that has lasted for too long taken off. */
const withoutOldPause = async (deps: Deps, migration: Migration): Promise<Migration> => {
  const { pauseMaxMs } = deps.settings;
  const nowMs = deps.clock.nowMs();
  if (isEnded(migration) || !isPauseOver(migration, pauseMaxMs, nowMs)) return migration;
  return (await deps.store.migrations.apply([migration.id], endPause(pauseMaxMs, nowMs))).value;
};

export const sweepMigration =
  (deps: Deps) =>
  async (id: string): Promise<void> => {
    const read = await deps.store.migrations.get(id);
    if (!read) return;
    const migration = await withoutOldPause(deps, read);
    const volume = await deps.store.volumes.get(migration.volumeId);
    if (migration.stage.state === 'requested') return sweepRequested(deps, migration, volume);
    await sweepJobs(deps, migration, volume);
    if (!isEnded(migration)) return endFromOutcome(deps, migration, volume);
    if (!graceOver(deps, migration.stage.endedAtMs)) return;
    if (!migration.endedTold) await settle(deps)(migration);
    if (!migration.jobsEnded && (await allJobsEnded(deps, migration))) {
      await deps.store.migrations.apply([id], markJobsEnded(migration.run, deps.clock.nowMs()));
    }
    await retryRemovals(deps)(migrationEntries(deps, migration));
    const now = await deps.store.migrations.get(id);
    if (now) await tellCleanupOnce(deps)(now);
  };
