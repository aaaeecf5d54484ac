import type * as z from 'zod';
import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { migrationJobId, resultOf } from '../../../domain/job/job.ts';
import { isEnded, type Migration } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { release } from '../../../domain/volume/claim.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { CAUGHT, failureOf, reasonFor } from '../failure-of.ts';
import { RUN, type Run } from '../handler.ts';

/** The error that sent the run here. */
export const RELEASE = RUN.extend({ error: CAUGHT });
export type Release = z.infer<typeof RELEASE>;

export interface Released {
  /** `superseded`: a newer run of the same migration has the claim; this execution has nothing to do any more. */
  readonly outcome: 'success' | 'error' | 'superseded';
  readonly error: string;
  readonly cause: string;
}

/** How the run's claim ended, whoever ended it. */
const outcomeOf = (volume: Volume | undefined, migration: Migration, run: number): Released => {
  if (volume?.claim?.migrationId === migration.id && volume.claim.run > run)
    return { outcome: 'superseded', error: 'Superseded', cause: '' };
  const last = volume?.lastOutcome;
  if (last?.migrationId === migration.id && last.run >= run) {
    return last.result === 'success'
      ? { outcome: 'success', error: '', cause: '' }
      : { outcome: 'error', error: last.reason.code, cause: last.reason.message };
  }
  // another migration has had the volume since: then this one's outcome was recorded before that was let in
  const { stage } = migration;
  if (stage.state === 'succeeded') return { outcome: 'success', error: '', cause: '' };
  const reason =
    stage.state === 'failed' || stage.state === 'refused' ? stage.reason : volmoveError('NeverClaimed', {}).toFailure();
  return { outcome: 'error', error: reason.code, cause: reason.message };
};

/** ReleaseClaim: Finalize's opposite. Exactly one of the two happens for a run; this tells which. */
export const releaseClaim =
  (deps: Deps) =>
  async ({ migrationId, run, error }: Release): Promise<Released> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    const nowMs = deps.clock.nowMs();
    const volume = await deps.store.volumes.get(migration.volumeId);
    const failure = failureOf(error);
    // a run that was taken over only knows that; why the backend goes back was noted by the first
    const reason = volume?.claim?.move?.undoing ?? reasonFor(failure, migration);
    const undone = await isUndone(deps, volume, { migrationId, run });
    const command = release({ migrationId, run, reason, undone, nowMs });
    const released = volume && (await deps.store.volumes.apply([volume.id], command)).value;
    // read again: another migration may have had the volume and ended since, which recorded this one's outcome first
    const now = (await deps.store.migrations.get(migrationId)) ?? migration;
    const result = outcomeOf(released, now, run);
    if (result.outcome === 'error' && !isEnded(now)) await showRollback(deps, migrationId, run, result.cause);
    return result;
  };

/** As the job of this very run says; true where nothing was begun. */
const isUndone = async (deps: Deps, volume: Volume | undefined, { migrationId, run }: Run): Promise<boolean> => {
  const move = volume?.claim?.move;
  if (!move) return true;
  const job = await deps.store.jobs.get(move.hostId, migrationJobId(migrationId, run, 'backend.undo'));
  return resultOf(job, 'backend.undo') !== undefined;
};

/** Shown only: a newer run or an end in between makes it pointless, not wrong. */
const showRollback = async (deps: Deps, migrationId: string, run: number, why: string): Promise<void> => {
  try {
    await deps.store.migrations.apply(
      [migrationId],
      enterPhase({ run, phase: 'rolling_back', who: 'execution', why, nowMs: deps.clock.nowMs() }),
    );
  } catch (error) {
    if (error instanceof VolmoveError && (error.code === 'Superseded' || error.code === 'ClaimLost')) return;
    throw error;
  }
};
