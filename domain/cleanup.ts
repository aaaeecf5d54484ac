import type { Failure } from './error.ts';
import type { Wiped } from './job/job.ts';
import { formatPlacement, type Placement } from './placement.ts';

/**
 * A backend object that must go. One mechanism for sources, destinations and deleted volumes: the entry is written first,
 * each try is a new job (`<object>.<try>`), the sweeper retries until it is done (design section 3, the removal rule).
 */
export interface CleanupEntry {
  readonly objectName: string;
  readonly placement: Placement;
  /** The backend's own id when it is known; a removal without it looks the object up by its never-reused name. */
  readonly objectId: string | null;
  /** The volume that had taken it over; its name is not one of ours, and another object may bear it one day. */
  readonly adoptedBy?: string;
  /** The run that made it; null for what a create made. */
  readonly run: number | null;
  readonly role: 'source' | 'destination' | 'volume';
  /** Overwritten before it is removed, where its backend is thick. */
  readonly wipe?: true;
  /** What came of that; set with `done`. */
  readonly wiped?: Wiped;
  readonly state: 'todo' | 'done' | 'dropped';
  /** Tries that were dispatched; 0 before the first. */
  readonly tries: number;
  /** The highest try whose failure was taken over; a higher `tries` is on its way. */
  readonly failedTries: number;
  /** Not before this time is the next try dispatched, in milliseconds since the epoch. */
  readonly nextTryAtMs: number;
  readonly lastFailure: Failure | null;
}

/** Tries after which a leftover needs a person: the sweeper goes on trying all the same. */
export const NEEDS_YOU_AFTER_TRIES = 3;
const FIRST_BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 10 * 60_000;

export const newCleanup = (
  object: Placement & { objectName: string; objectId?: string | null; adoptedBy?: string },
  role: CleanupEntry['role'],
  run: number | null = null,
): CleanupEntry => ({
  objectName: object.objectName,
  placement: { hostId: object.hostId, backend: object.backend, pool: object.pool },
  objectId: object.objectId ?? null,
  ...(object.adoptedBy === undefined ? {} : { adoptedBy: object.adoptedBy }),
  run,
  role,
  state: 'todo',
  tries: 0,
  failedTries: 0,
  nextTryAtMs: 0,
  lastFailure: null,
});

/**
 * A deleted volume and an ended migration may both give up the same object: each has jobs, and so task tokens, of its own. The name
 * of an object that was taken over may be another's in another pool, or later: there the volume's id tells them apart.
 */
export const removalJobId = (
  { objectName, role, adoptedBy }: Pick<CleanupEntry, 'objectName' | 'role' | 'adoptedBy'>,
  tryNumber: number,
): string => {
  const object = adoptedBy === undefined ? objectName : `${adoptedBy}.${objectName}`;
  return role === 'volume' ? `${object}.volume.${tryNumber}` : `${object}.${tryNumber}`;
};

export const cleanupDone = (entries: readonly CleanupEntry[]): boolean => entries.every((e) => e.state !== 'todo');

export const entryNeedsYou = (entry: CleanupEntry): boolean =>
  entry.state === 'todo' && entry.failedTries >= NEEDS_YOU_AFTER_TRIES;

export const cleanupNeedsYou = (entries: readonly CleanupEntry[]): boolean => entries.some(entryNeedsYou);

export const cleanupState = (entries: readonly CleanupEntry[]): 'none' | 'pending' | 'needs_you' | 'done' => {
  if (entries.length === 0) return 'none';
  if (cleanupDone(entries)) return 'done';
  return cleanupNeedsYou(entries) ? 'needs_you' : 'pending';
};

/** Somebody has made way for the removal, or asks again: the next try need not wait for its time. */
export const tryNow = (entry: CleanupEntry): CleanupEntry =>
  entry.nextTryAtMs === 0 ? entry : { ...entry, nextTryAtMs: 0 };

/** The entry after its try failed: when the next one is due. */
export const afterFailedTry = (entry: CleanupEntry, failure: Failure, nowMs: number): CleanupEntry => ({
  ...entry,
  failedTries: entry.tries,
  lastFailure: failure,
  nextTryAtMs: nowMs + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(0, entry.tries - 1)),
});

/** Adds entries for objects that have none yet; an entry that stands is never changed by this. */
export const addCleanup = (
  entries: readonly CleanupEntry[],
  more: readonly CleanupEntry[],
): readonly CleanupEntry[] => [
  ...entries,
  ...more.filter((entry) => !entries.some((e) => e.objectName === entry.objectName)),
];

export const changeCleanup = (
  entries: readonly CleanupEntry[],
  objectName: string,
  change: (entry: CleanupEntry) => CleanupEntry,
): readonly CleanupEntry[] => entries.map((entry) => (entry.objectName === objectName ? change(entry) : entry));

/** What is left where and why, in the words of events and of the API. */
export interface Leftover {
  readonly object: string;
  readonly host: string;
  readonly tries: number;
  readonly reason: string | null;
}

export const whatIsLeft = (entries: readonly CleanupEntry[]): Leftover[] =>
  entries
    .filter((entry) => entry.state === 'todo')
    .map(({ objectName, placement, tries, lastFailure }) => ({
      object: objectName,
      host: formatPlacement(placement),
      tries,
      reason: lastFailure?.message ?? null,
    }));
