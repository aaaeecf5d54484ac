import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { isEnded, type Migration, type PastEnd, type StoryEntry } from './migration.ts';
import { tell } from './run.ts';

/**
 * The one write that an ended migration takes (design section 3): its volume was claimed for another run. It follows from the
 * claim, so whoever finds the claim may do it: the API that made it, or the run's first step.
 */

/** True when the outcome of this run, or of a later one, stands in the migration. Only one that has failed goes on. */
export const hasRecorded = (migration: Migration, run: number): boolean =>
  isEnded(migration) && (migration.run >= run || migration.stage.state !== 'failed');

const pastEnds = (migration: Migration): readonly PastEnd[] => {
  const { pastEnds: past = [], stage, run } = migration;
  return stage.state === 'failed' ? [...past, { run, endedAtMs: stage.endedAtMs, reason: stage.reason }] : past;
};

/** As a run finds it that begins: what the run before was wished, told and reported stays behind. */
export const reopened = (migration: Migration, run: number): Migration => ({
  ...migration,
  run,
  wishes: { ...migration.wishes, cancel: null, pause: null },
  reservation: null,
  endedTold: false,
  jobsEnded: false,
  cleanupTold: { done: false, needsYou: false },
  report: null,
  pastEnds: pastEnds(migration),
});

export interface Reopen {
  readonly run: number;
  readonly who: string;
  readonly nowMs: number;
}

const whyNoRetry = (migration: Migration): string | undefined => {
  switch (migration.stage.state) {
    case 'failed':
      return undefined;
    case 'succeeded':
      return 'it has succeeded';
    case 'refused':
      return 'it was refused and never began: ask for a new one';
    case 'requested':
    case 'running':
      return 'it has not ended yet';
  }
};

const cannotRetry = (migration: Migration, reason: string): ReturnType<typeof volmoveError> =>
  volmoveError('CannotRetry', { id: migration.id, reason });

export const requireRetryable = (migration: Migration): void => {
  const why = whyNoRetry(migration);
  if (why !== undefined) throw cannotRetry(migration, why);
};

/** After the end of the run before was told: each run has one Started and one Ended. */
export const reopen =
  ({ run, who, nowMs }: Reopen) =>
  (migration: Migration): Decision<Migration> => {
    if (migration.run >= run) return already(migration);
    const why = whyNoRetry(migration);
    if (why !== undefined) return refuse(cannotRetry(migration, why));
    if (!migration.endedTold) return refuse(cannotRetry(migration, 'its end was not told yet'));
    const story: StoryEntry[] = tell(migration, 'requested', who, nowMs, 'retry', run);
    return write({ ...reopened(migration, run), story, stage: { state: 'requested' }, updatedAtMs: nowMs });
  };
