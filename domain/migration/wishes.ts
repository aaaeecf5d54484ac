import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import type { JobControl } from '../job/job.ts';
import { DEFAULT_PRIORITY, type Priority } from '../priority.ts';
import { isEnded, type Migration, phaseName, type StoryEntry } from './migration.ts';
import { tell } from './run.ts';

/**
 * What an administrator may wish of a migration that is under way: a pause, a limit, and another priority. They stand in the migration first; its
 * jobs carry copies of them, which whoever finds them different makes equal again. A wish that comes before the copy takes
 * effect when the copy begins.
 */

/** The part of a job's control that follows from the migration. */
export type CopiedWishes = Pick<JobControl, 'paused' | 'bandwidthBytesPerSecond'> & { readonly priority: Priority };

const MIB = 1024 * 1024;
/** A script may change a limit all day long: of such lines the story keeps the last, or the item would grow for ever. */
const WISHES_TOLD = 100;

/** Bytes a second that the copy may take; null: no limit of the migration's own. */
export const bandwidthOf = ({ wishes, options }: Migration): number | null =>
  wishes.bandwidth ? wishes.bandwidth.bytesPerSecond : (options.bandwidthBytesPerSecond ?? null);

/** Of its waits for a place at its hosts. */
export const priorityOf = ({ wishes, options }: Migration): Priority =>
  wishes.priority?.level ?? options.priority ?? DEFAULT_PRIORITY;

export const copiedWishes = (migration: Migration): CopiedWishes => ({
  paused: Boolean(migration.wishes.pause),
  bandwidthBytesPerSecond: bandwidthOf(migration),
  priority: priorityOf(migration),
});

const whyNot = (migration: Migration): string | undefined => {
  const { stage } = migration;
  if (isEnded(migration)) return stage.state === 'refused' ? 'it was refused' : `it has ${stage.state}`;
  switch (phaseName(migration)) {
    case 'moving':
      // a pause that was wished before it keeps the backend from beginning, and may be ended
      return migration.wishes.pause ? undefined : 'its backend moves it, which can be neither paused nor limited';
    case 'switching':
      return 'its backend switches it over';
    case 'finalizing':
      return 'everything is copied and verified, it is being switched over';
    case 'rolling_back':
      return 'it is being rolled back';
    default:
      return undefined;
  }
};

/** dd can be stopped for a while, but not slowed down. */
const whyNoLimit = (migration: Migration): string | undefined =>
  whyNot(migration) ?? (migration.options.copyEngine === 'dd' ? 'dd copies it, which knows no limit' : undefined);

/** False when a pause that was wished has no effect any more. */
export const mayPause = (migration: Migration): boolean => whyNot(migration) === undefined;

const isWishLine = ({ from, to }: StoryEntry): boolean => from === to;

const told = (migration: Migration, by: string, nowMs: number, what: string): StoryEntry[] => {
  const story = tell(migration, phaseName(migration), by, nowMs, what);
  const oldest = story.findIndex(isWishLine);
  return story.filter(isWishLine).length > WISHES_TOLD ? story.toSpliced(oldest, 1) : story;
};

const wish = (
  migration: Migration,
  asked: { by: string; nowMs: number; done: string; what: string; wishes: Partial<Migration['wishes']> },
  reason = whyNot(migration),
): Decision<Migration> => {
  if (reason !== undefined) return refuse(volmoveError('CannotAdjust', { id: migration.id, what: asked.done, reason }));
  return write({
    ...migration,
    wishes: { ...migration.wishes, ...asked.wishes },
    story: told(migration, asked.by, asked.nowMs, asked.what),
    updatedAtMs: asked.nowMs,
  });
};

export const wishPause =
  (by: string, nowMs: number) =>
  (migration: Migration): Decision<Migration> =>
    migration.wishes.pause && whyNot(migration) === undefined
      ? already(migration)
      : wish(migration, { by, nowMs, done: 'paused', what: 'paused', wishes: { pause: { by, atMs: nowMs } } });

export const wishResume =
  (by: string, nowMs: number, what = 'resumed') =>
  (migration: Migration): Decision<Migration> =>
    !migration.wishes.pause && whyNot(migration) === undefined
      ? already(migration)
      : wish(migration, { by, nowMs, done: 'resumed', what, wishes: { pause: null } });

/** The sweeper's: no pause lasts for ever. */
export const endPause =
  (pauseMaxMs: number, nowMs: number) =>
  (migration: Migration): Decision<Migration> =>
    isPauseOver(migration, pauseMaxMs, nowMs) && whyNot(migration) === undefined
      ? wishResume('sweeper', nowMs, `resumed: a pause ends after ${Math.round(pauseMaxMs / 1000)} s`)(migration)
      : already(migration);

export const isPauseOver = ({ wishes }: Migration, pauseMaxMs: number, nowMs: number): boolean =>
  Boolean(wishes.pause) && nowMs - (wishes.pause?.atMs ?? nowMs) >= pauseMaxMs;

const limitText = (bytesPerSecond: number | null): string =>
  bytesPerSecond === null ? 'limit lifted' : `limited to ${Number((bytesPerSecond / MIB).toPrecision(4))} MiB/s`;

export const wishBandwidth =
  (bytesPerSecond: number | null, by: string, nowMs: number) =>
  (migration: Migration): Decision<Migration> =>
    bandwidthOf(migration) === bytesPerSecond && whyNoLimit(migration) === undefined
      ? already(migration)
      : wish(
          migration,
          {
            by,
            nowMs,
            done: 'limited',
            what: limitText(bytesPerSecond),
            wishes: { bandwidth: { by, atMs: nowMs, bytesPerSecond } },
          },
          whyNoLimit(migration),
        );

/** A backend that moves a volume itself makes nobody wait. */
const whyNoPriority = (migration: Migration): string | undefined =>
  phaseName(migration) === 'moving' ? 'its backend moves it, and it waits for nothing' : whyNot(migration);

export const wishPriority =
  (level: Priority, by: string, nowMs: number) =>
  (migration: Migration): Decision<Migration> => {
    const reason = whyNoPriority(migration);
    return priorityOf(migration) === level && reason === undefined
      ? already(migration)
      : wish(
          migration,
          {
            by,
            nowMs,
            done: 'given another priority',
            what: `priority ${level}`,
            wishes: { priority: { by, atMs: nowMs, level } },
          },
          reason,
        );
  };
