import { type Leftover, whatIsLeft } from './cleanup.ts';
import type { Failure } from './error.ts';
import { type Activity, type DataPhase, isDataKind, type Job, type Progress, phaseOfData } from './job/job.ts';
import { isEnded, type Migration, PHASES } from './migration/migration.ts';
import { PHASE_RANK } from './migration/phases.ts';
import { formatPlacement } from './placement.ts';

/**
 * Notifications (docs/events). Their details are made by pure functions of what is stored, so that a replay equals what was
 * sent. `sequence` is run, phase, attempt and n in one number that never decreases; a repeat has the same number.
 */

export const EVENT_SOURCE = 'volmove';
export const DETAIL_VERSION = '1';

export type DetailType =
  | 'Volume Migration Started'
  | 'Volume Migration Progress'
  | 'Volume Migration Stalled'
  | 'Volume Migration Ended'
  | 'Volume Migration Cleanup';

interface DetailBase {
  readonly version: typeof DETAIL_VERSION;
  readonly event_type: string;
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly migration_id: string;
  readonly run: number;
  readonly volume_id: string;
  readonly tenant_id: string;
}

interface MovedVolume {
  readonly display_name: string | null;
  readonly size_bytes: number;
  readonly source_host: string;
  readonly destination_host: string;
  readonly locked: boolean;
}

export type StartedDetail = DetailBase &
  MovedVolume & { readonly event_type: 'volume.migrate.start'; readonly requested_by: string };
export type ProgressDetail = DetailBase & {
  readonly event_type: 'volume.migrate.progress' | 'volume.migrate.stalled';
  readonly phase: DataPhase | 'moving';
  readonly host: string;
  readonly attempt: number;
  readonly done_bytes: number;
  readonly total_bytes: number;
  /** Below 100 until the copy is verified. */
  readonly percent: number;
  readonly rate_bytes_per_second: number;
  /** Null while the rate is 0. */
  readonly eta_seconds: number | null;
  /** The phase, or what is done within it instead of moving the volume's bytes. */
  readonly activity: ProgressDetail['phase'] | Activity;
};
export type EndedDetail = DetailBase &
  MovedVolume & {
    readonly event_type: 'volume.migrate.end';
    readonly result: 'success' | 'error';
    readonly host: string;
    readonly reason: Failure | null;
    readonly digest: string | null;
    readonly duration_ms: number;
  };
export type CleanupDetail = DetailBase & {
  readonly event_type: 'volume.migrate.cleanup';
  readonly result: 'done' | 'needs_you';
  readonly left: readonly Leftover[];
};
export type EventDetail = StartedDetail | ProgressDetail | EndedDetail | CleanupDetail;

export interface VolmoveEvent {
  readonly detailType: DetailType;
  readonly detail: EventDetail;
}

/** run * 10^12 + rank * 10^10 + attempt * 10^6 + n: sortable, below 2^53 for 9,000 runs, 9,999 attempts, 999,999 reports. */
export const sequenceOf = (run: number, rank: number, attempt = 0, n = 0): number =>
  run * 1e12 + rank * 1e10 + Math.min(attempt, 9_999) * 1e6 + Math.min(n, 999_999);

const base = (migration: Migration, run: number, atMs: number, sequence: number) => ({
  version: DETAIL_VERSION as typeof DETAIL_VERSION,
  sequence,
  at: new Date(atMs).toISOString(),
  migration_id: migration.id,
  run,
  volume_id: migration.volumeId,
  tenant_id: migration.projectId,
});

const moved = (migration: Migration): MovedVolume => ({
  display_name: migration.volumeName,
  size_bytes: migration.sizeBytes,
  source_host: formatPlacement(migration.source),
  destination_host: formatPlacement(migration.destination),
  locked: migration.options.lock,
});

/**
 * The run that events tell of. A run that the reconciler started to roll back tells no story of its own: it ends that of the
 * run which was asked for, and of which the run before it was the last to begin anything.
 */
export const toldRun = ({ pastEnds = [] }: Migration, run: number): number =>
  (pastEnds.findLast((end) => end.run < run)?.run ?? 0) + 1;

/** False when the run came to its end so early that nobody can say whether its start was told. */
export const wasStartHeard = (migration: Migration): boolean => {
  const first = toldRun(migration, migration.run);
  return migration.story.some(({ run, to }) => run >= first && isPastStart(to));
};

const isPastStart = (step: string): boolean =>
  step !== 'validating' && step !== 'rolling_back' && (PHASES as readonly string[]).includes(step);

const storyTime = (migration: Migration, run: number, to: string): number | undefined =>
  migration.story.find((entry) => entry.run === run && entry.to === to)?.atMs;

/** A run that never came to its first step began when it was asked for. */
const beganAtMs = (migration: Migration, run: number): number =>
  storyTime(migration, run, 'validating') ?? storyTime(migration, run, 'requested') ?? migration.requestedAtMs;

export const startedEvent = (migration: Migration, of = migration.run): VolmoveEvent => {
  const run = toldRun(migration, of);
  return {
    detailType: 'Volume Migration Started',
    detail: {
      ...base(migration, run, beganAtMs(migration, run), sequenceOf(run, PHASE_RANK.started)),
      ...moved(migration),
      event_type: 'volume.migrate.start',
      requested_by: migration.requestedBy,
    },
  };
};

interface RunEnd {
  readonly run: number;
  readonly endedAtMs: number;
  /** Null after a success. */
  readonly reason: Failure | null;
  readonly digest: string | null;
}

const endOf = (migration: Migration, { run: of, endedAtMs, reason, digest }: RunEnd): VolmoveEvent => {
  const run = toldRun(migration, of);
  return {
    detailType: 'Volume Migration Ended',
    detail: {
      ...base(migration, run, endedAtMs, sequenceOf(run, PHASE_RANK.ended)),
      ...moved(migration),
      event_type: 'volume.migrate.end',
      result: reason === null ? 'success' : 'error',
      host: formatPlacement(reason === null ? migration.destination : migration.source),
      reason,
      digest,
      duration_ms: endedAtMs - beganAtMs(migration, run),
    },
  };
};

/** Undefined while the migration has not ended, and for one that was refused: that never started. */
export const endedEvent = (migration: Migration): VolmoveEvent | undefined => {
  if (!isEnded(migration) || migration.stage.state === 'refused') return undefined;
  const { run, report, stage } = migration;
  const reason = stage.state === 'failed' ? stage.reason : null;
  return endOf(migration, { run, endedAtMs: stage.endedAtMs, reason, digest: report?.destinationDigest ?? null });
};

/** A kept source may fail to go after all else was told to be gone: what comes later has the higher number. */
const cleanupRank = (migration: Migration, result: 'done' | 'needs_you', of: number): number => {
  if (result === 'done') return PHASE_RANK.cleanup_done;
  const told = migration.cleanupNotices.filter(({ run = of }) => run === of).map((notice) => notice.result);
  const afterDone = told.includes('done') && told.indexOf('done') < told.lastIndexOf('needs_you');
  return afterDone ? PHASE_RANK.cleanup_needs_you_after_done : PHASE_RANK.cleanup_needs_you;
};

export const cleanupEvent = (
  migration: Migration,
  result: 'done' | 'needs_you',
  atMs: number,
  of = migration.run,
): VolmoveEvent => {
  const notice = migration.cleanupNotices.findLast((one) => one.result === result && (one.run ?? of) === of);
  const run = toldRun(migration, of);
  return {
    detailType: 'Volume Migration Cleanup',
    detail: {
      ...base(migration, run, atMs, sequenceOf(run, cleanupRank(migration, result, of))),
      event_type: 'volume.migrate.cleanup',
      result,
      left: notice?.left ?? whatIsLeft(migration.cleanup),
    },
  };
};

/** Whole percent; 100 is kept for a verified copy, so an unfinished phase shows 99 at the most. */
export const percentOf = (doneBytes: number, totalBytes: number): number =>
  totalBytes === 0 ? 99 : Math.min(99, Math.floor((doneBytes / totalBytes) * 100));

export const etaSeconds = ({
  rateBytesPerSecond,
  zeroing,
  ...progress
}: Pick<Progress, 'doneBytes' | 'totalBytes' | 'rateBytesPerSecond' | 'zeroing'>): number | null => {
  const { doneBytes, totalBytes } = zeroing ?? progress;
  return rateBytesPerSecond > 0 ? Math.ceil((totalBytes - doneBytes) / rateBytesPerSecond) : null;
};

/** What an agent tells of a job; made from the job and the report alone, so that the replay can make it again. */
export const progressEvent = (
  job: Job,
  progress: Progress,
  stalled = progress.stalled === true,
): VolmoveEvent | undefined => {
  if (job.migrationId === null || !isDataKind(job.kind)) return undefined;
  const phase = phaseOfData(job.kind);
  return {
    detailType: stalled ? 'Volume Migration Stalled' : 'Volume Migration Progress',
    detail: {
      version: DETAIL_VERSION,
      event_type: stalled ? 'volume.migrate.stalled' : 'volume.migrate.progress',
      sequence: sequenceOf(job.run, PHASE_RANK[phase], progress.attempt, progress.n),
      at: new Date(progress.atMs).toISOString(),
      migration_id: job.migrationId,
      run: job.run,
      volume_id: job.volumeId,
      tenant_id: job.projectId,
      phase,
      host: job.hostId,
      attempt: progress.attempt,
      done_bytes: progress.doneBytes,
      total_bytes: progress.totalBytes,
      percent: percentOf(progress.doneBytes, progress.totalBytes),
      rate_bytes_per_second: Math.round(progress.rateBytesPerSecond),
      eta_seconds: etaSeconds(progress),
      activity: progress.activity ?? phase,
    },
  };
};

/** Everything that is known to have been told of a migration, in order: the replay behind `GET .../events?after=N`. */
export const replayEvents = (migration: Migration, jobs: readonly Job[], after: number): VolmoveEvent[] => {
  const begun = migration.story.filter((entry) => entry.to === 'validating').map(({ run }) => run);
  const over = isEnded(migration) && migration.stage.state !== 'refused' ? [migration.run] : [];
  const runs = [...begun, ...(migration.pastEnds ?? []).map(({ run }) => run), ...over];
  const started = [...new Set(runs.map((run) => toldRun(migration, run)))].map((run) => startedEvent(migration, run));
  const progress = jobs.flatMap((job) => job.recent.map((report) => progressEvent(job, report)));
  const cleanup = migration.cleanupNotices.map(({ result, atMs, run }) => cleanupEvent(migration, result, atMs, run));
  const past = (migration.pastEnds ?? []).map((end) => endOf(migration, { ...end, digest: null }));
  return [...started, ...progress, ...past, endedEvent(migration), ...cleanup]
    .filter((event): event is VolmoveEvent => event !== undefined && event.detail.sequence > after)
    .sort((a, b) => a.detail.sequence - b.detail.sequence);
};
