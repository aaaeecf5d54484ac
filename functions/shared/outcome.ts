import { volmoveError } from '../../domain/error.ts';
import { endedEvent, startedEvent, wasStartHeard } from '../../domain/event.ts';
import { giveBackCapacity, reservationKey } from '../../domain/host/capacity.ts';
import { isJobEnded, type Job, migrationJobId, resultOf } from '../../domain/job/job.ts';
import { endMigration, settleEnd } from '../../domain/migration/end.ts';
import { isEnded, type Migration, type Report } from '../../domain/migration/migration.ts';
import { hasRecorded } from '../../domain/migration/reopen.ts';
import type { Outcome } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';

/** What the jobs of the run can tell about it. */
const reportOf = async (deps: Pick<Deps, 'store'>, migration: Migration, run: number): Promise<Report | null> => {
  const jobs = await deps.store.jobs.getMany(
    migration.jobs.filter((j) => j.run === run).map((j) => [j.hostId, j.jobId] as [string, string]),
  );
  const find = (kind: Job['kind']): Job | undefined =>
    jobs.find((job) => job.id === migrationJobId(migration.id, run, kind));
  const copied = resultOf(find('data.copy'), 'data.copy');
  if (!copied) return null;
  const repaired = resultOf(find('data.repair'), 'data.repair');
  const read = repaired
    ? resultOf(find('data.reverify'), 'data.reverify')
    : resultOf(find('data.verify'), 'data.verify');
  return {
    sourceDigest: (repaired ?? copied).digest,
    destinationDigest: read?.digest ?? null,
    readback: read?.digest ? read.readback : null,
    bytesRead: copied.bytesRead + (repaired?.bytesRead ?? 0),
    bytesWritten: copied.bytesWritten + (repaired?.bytesWritten ?? 0),
    copyMs: copied.durationMs + (repaired?.durationMs ?? 0),
  };
};

/** A job that was never written, or is forgotten already, is under way no more. */
export const allJobsEnded = async (deps: Pick<Deps, 'store'>, migration: Migration): Promise<boolean> => {
  const jobs = await deps.store.jobs.getMany(migration.jobs.map((j) => [j.hostId, j.jobId] as [string, string]));
  return jobs.every(isJobEnded);
};

/**
 * Records a volume's outcome in its migration. Whoever wants the next claim does this first; doing it again changes nothing.
 * Undefined when there is no such migration, or a later run of it is under way.
 */
export const recordOutcome =
  (deps: Deps) =>
  async (outcome: Outcome, who: string): Promise<Migration | undefined> => {
    const migration = await deps.store.migrations.get(outcome.migrationId);
    if (!migration || hasRecorded(migration, outcome.run)) return migration;
    // a retry is under way: its claim was given only after this outcome was recorded
    if (migration.run > outcome.run) return undefined;
    const report = await reportOf(deps, migration, outcome.run);
    return (
      await deps.store.migrations.apply(
        [migration.id],
        endMigration({ outcome, report, who, nowMs: deps.clock.nowMs() }),
      )
    ).value;
  };

/** After the end: capacity back, Ended told, then marked as settled. Every part may be repeated. */
export const settle =
  (deps: Deps) =>
  async (migration: Migration): Promise<void> => {
    if (!isEnded(migration)) throw volmoveError('Internal', { reason: `migration ${migration.id} has not ended` });
    if (migration.endedTold) return;
    if (migration.reservation && (await deps.store.pools.get(migration.reservation.poolId))) {
      const { poolId, run = 1 } = migration.reservation;
      const filledAtMs = migration.stage.state === 'succeeded' ? migration.stage.endedAtMs : undefined;
      await deps.store.pools.apply([poolId], giveBackCapacity(reservationKey(migration.id, run), filledAtMs));
    }
    const event = endedEvent(migration);
    // a run that ended before its first steps may never have told its start; a repeat is known by its sequence
    const started = wasStartHeard(migration) ? [] : [startedEvent(migration)];
    if (event) await deps.notifier.notify([...started, event]);
    const ended = await allJobsEnded(deps, migration);
    await deps.store.migrations.apply([migration.id], settleEnd(deps.clock.nowMs(), ended, migration.run));
  };
