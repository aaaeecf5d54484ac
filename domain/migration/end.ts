import { addCleanup, type CleanupEntry, changeCleanup, cleanupDone, newCleanup, whatIsLeft } from '../cleanup.ts';
import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, volmoveError } from '../error.ts';
import type { Outcome, Restored } from '../volume/volume.ts';
import { isEnded, type Migration, type Report } from './migration.ts';
import { hasRecorded, reopened } from './reopen.ts';
import { tell } from './run.ts';

/** How a migration ends, and what is done after its end. The outcome is the volume's word; this only records it. */

export interface EndCommand {
  /** `lastOutcome` of the volume, of this migration. */
  readonly outcome: Outcome;
  readonly report: Report | null;
  readonly who: string;
  readonly nowMs: number;
}

/** Objects that nobody will need: the source after a success, the destinations of every failed run that are not kept for a retry. */
const leftovers = (migration: Migration, outcome: Outcome): CleanupEntry[] => {
  const success = outcome.result === 'success';
  const failedObjects = migration.objects
    .filter((object) => (success ? object.run !== outcome.run : object.objectName !== outcome.kept))
    .map((object) => newCleanup({ objectName: object.objectName, ...object.placement }, 'destination', object.run));
  const { sourceRetentionSeconds, wipe } = migration.options;
  const sourceNow =
    success && outcome.proof.kind !== 'backend' && sourceRetentionSeconds === 0
      ? [{ ...newCleanup(outcome.source, 'source'), ...(wipe ? { wipe } : {}) }]
      : [];
  return [...failedObjects, ...sourceNow];
};

export const endMigration =
  ({ outcome, report, who, nowMs }: EndCommand) =>
  (migration: Migration): Decision<Migration> => {
    if (hasRecorded(migration, outcome.run)) return already(migration);
    if (outcome.run < migration.run) return refuse(volmoveError('Superseded', { run: outcome.run }));
    const success = outcome.result === 'success';
    const why = success ? null : outcome.reason.message;
    const open = isEnded(migration) ? reopened(migration, outcome.run) : migration;
    return write({
      ...open,
      run: outcome.run,
      cleanup: addCleanup(migration.cleanup, leftovers(migration, outcome)),
      report,
      story: tell(migration, success ? 'succeeded' : 'failed', who, nowMs, why, outcome.run),
      stage: success
        ? { state: 'succeeded', endedAtMs: nowMs }
        : { state: 'failed', endedAtMs: nowMs, reason: outcome.reason },
      updatedAtMs: nowMs,
    });
  };

/** A request that never got the volume: by the API (claim refused) or the sweeper (the API died before the claim). */
export const refuseMigration =
  (reason: Failure, who: string, nowMs: number) =>
  (migration: Migration): Decision<Migration> => {
    if (migration.stage.state !== 'requested') return already(migration);
    return write({
      ...migration,
      story: tell(migration, 'refused', who, nowMs, reason.message),
      stage: { state: 'refused', endedAtMs: nowMs, reason },
      updatedAtMs: nowMs,
    });
  };

/** After the pool has its bytes back and the Ended event was sent: both may be repeated, neither forgotten. */
export const settleEnd =
  (nowMs: number, jobsEnded = true, run?: number) =>
  (migration: Migration): Decision<Migration> =>
    migration.endedTold || !isEnded(migration) || (run ?? migration.run) !== migration.run
      ? already(migration)
      : write({ ...migration, reservation: null, endedTold: true, jobsEnded, updatedAtMs: nowMs });

/** The sweeper's, once it has seen the last job of an ended migration end. */
export const markJobsEnded =
  (run: number, nowMs: number) =>
  (migration: Migration): Decision<Migration> =>
    migration.jobsEnded || !isEnded(migration) || migration.run !== run
      ? already(migration)
      : write({ ...migration, jobsEnded: true, updatedAtMs: nowMs });

/**
 * An entry is written before its object leaves `retained[]` (expiry of a kept source). What a volume has left for its source is
 * told of by the same write: so that is as sure as the removal.
 */
export const addMigrationCleanup =
  (entry: CleanupEntry, nowMs: number, restored?: Restored) =>
  (migration: Migration): Decision<Migration> => {
    const cleanup = addCleanup(migration.cleanup, [entry]);
    const told = restored === undefined || migration.restored !== undefined;
    if (told && cleanup.length === migration.cleanup.length) return already(migration);
    const next = { ...migration, cleanup, updatedAtMs: nowMs };
    return write(told ? next : tellRestored(next, restored));
  };

const tellRestored = (migration: Migration, restored: Restored): Migration => {
  const { by, atMs, discarded } = restored;
  const why = `back at its source${discarded ? '; what was written since is discarded' : ''}`;
  return { ...migration, restored, story: tell(migration, 'restored', by, atMs, why) };
};

const withNotice = (migration: Migration, what: 'done' | 'needsYou', nowMs: number): Migration => ({
  ...migration,
  cleanupTold: { ...migration.cleanupTold, [what]: true },
  cleanupNotices: [
    ...migration.cleanupNotices,
    {
      run: migration.run,
      result: what === 'done' ? 'done' : 'needs_you',
      atMs: nowMs,
      left: whatIsLeft(migration.cleanup),
    },
  ],
});

const goneText = ({ objectName, state, wiped }: CleanupEntry): string => {
  if (state === 'dropped') return `${objectName} stays: the volume lives on it`;
  const how = { true: ', which was wiped first', thin: ', which was thin: there was nothing to wipe', false: '' };
  return `nothing is left of ${objectName}${wiped === undefined ? '' : how[`${wiped}`]}`;
};

/** A restored migration stays one. */
const lastStep = ({ restored, stage }: Migration): string => (restored ? 'restored' : stage.state);

/** One step of one entry. The last one that ends is told in the timeline and marked for its event by the same write. */
export const changeMigrationCleanup =
  (objectName: string, change: (entry: CleanupEntry) => CleanupEntry, nowMs: number) =>
  (migration: Migration): Decision<Migration> => {
    const entry = migration.cleanup.find((e) => e.objectName === objectName);
    if (entry?.state !== 'todo' || change(entry) === entry) return already(migration);
    const next = { ...migration, cleanup: changeCleanup(migration.cleanup, objectName, change), updatedAtMs: nowMs };
    // while a retry is under way nothing is told: what is left then is told after its end
    if (!cleanupDone(next.cleanup) || !isEnded(migration)) return write(next);
    const story = tell(migration, lastStep(migration), 'cleanup', nowMs, goneText(change(entry)));
    return write({ ...(next.cleanupTold.done ? next : withNotice(next, 'done', nowMs)), story });
  };

/**
 * Marks a Cleanup event as told before it is sent: at most once each, and a crash in between loses a notice, not an object. Asks
 * again whether all is gone: an entry may have been added since the caller saw it.
 */
export const tellCleanup =
  (what: 'done' | 'needsYou', nowMs: number) =>
  (migration: Migration): Decision<Migration> =>
    // a retry that was begun meanwhile tells what is left after its own end, in its own number
    migration.cleanupTold[what] || !isEnded(migration) || cleanupDone(migration.cleanup) !== (what === 'done')
      ? already(migration)
      : write({ ...withNotice(migration, what, nowMs), updatedAtMs: nowMs });
