import { etaSeconds, percentOf } from '../../../domain/event.ts';
import { isDataKind, isJobEnded, type Job, phaseOfData } from '../../../domain/job/job.ts';
import type { QueuePlace } from '../../../domain/job/queue.ts';
import { isEnded, type Migration, phaseName } from '../../../domain/migration/migration.ts';
import { isoTime } from './time.ts';

/**
 * How far a migration is. The bytes are those of the named phase, as in its events: settled at the destination while
 * copying, read back while verifying. 100 percent means verified and switched over, nothing less.
 */
export interface ProgressView {
  readonly phase: string;
  readonly done_bytes: number;
  readonly total_bytes: number;
  readonly percent: number;
  readonly rate_bytes_per_second: number;
  readonly eta_seconds: number | null;
  readonly attempt: number;
  readonly at: string | null;
  readonly stale: boolean;
  readonly stalled_since: string | null;
  /** What the agent is at: the phase, `zeroing`, `queued` or `paused`; null while it has nothing to tell. */
  readonly activity: string | null;
  /** Its place among those that wait for one at the host; null unless it waits. */
  readonly queue: QueueView | null;
  /** Bytes of the end of a destination that is larger than the volume, while it is zeroed. */
  readonly zeroing: { readonly done_bytes: number; readonly total_bytes: number } | null;
}

interface QueueView {
  readonly position: number;
  readonly of: number;
  /** Which limit keeps it back; `host` also when its host has not taken it yet. */
  readonly waiting_for: 'host' | 'backend';
  readonly host: string;
  readonly backend: string;
}

export interface Rendered {
  readonly migration: Migration;
  readonly job: Job | undefined;
  readonly queue: QueuePlace | null;
}

/** The run is past its bytes: everything was copied and verified, but it has not ended yet. */
const isPastBytes = ({ stage }: Migration): boolean => stage.state === 'running' && stage.phase === 'finalizing';

/** Of a migration that has ended; 0 where nothing was copied. */
const averageRate = ({ report, sizeBytes }: Migration): number =>
  report && report.copyMs > 0 ? Math.round((sizeBytes / report.copyMs) * 1000) : 0;

/** A job that nobody has taken yet does nothing, and so has nothing to settle before it is paused. */
const activityOf = ({ migration, job, queue }: Rendered): string | null => {
  if (!job || !isDataKind(job.kind) || isJobEnded(job) || isEnded(migration)) return null;
  if (queue) return 'queued';
  const waited = job.stage.state === 'queued' || job.progress?.activity === 'queued';
  if (waited) return job.control.paused ? 'paused' : 'queued';
  return job.progress?.activity ?? phaseOfData(job.kind);
};

const renderQueue = ({ position, of, waitingFor, hostId, backend }: QueuePlace): QueueView => ({
  position,
  of,
  waiting_for: waitingFor,
  host: hostId,
  backend,
});

const renderZeroing = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) => ({
  done_bytes: doneBytes,
  total_bytes: totalBytes,
});

export const renderProgress = (rendered: Rendered, stale = false): ProgressView => {
  const { migration, job, queue } = rendered;
  const { sizeBytes, stage } = migration;
  const succeeded = stage.state === 'succeeded';
  const progress = job?.progress ?? null;
  const doneBytes = succeeded || isPastBytes(migration) ? sizeBytes : (progress?.doneBytes ?? 0);
  const moving = job !== undefined && progress !== null && queue === null && !isJobEnded(job) && !isEnded(migration);
  const atMs = succeeded ? stage.endedAtMs : (progress?.atMs ?? null);
  return {
    phase: phaseName(migration),
    done_bytes: doneBytes,
    total_bytes: sizeBytes,
    percent: succeeded ? 100 : percentOf(doneBytes, sizeBytes),
    rate_bytes_per_second: moving ? Math.round(progress.rateBytesPerSecond) : averageRate(migration),
    eta_seconds: moving ? etaSeconds(progress) : null,
    attempt: progress?.attempt ?? job?.attempt ?? 0,
    at: atMs === null ? null : isoTime(atMs),
    stale,
    stalled_since: moving && job.stalledSinceMs !== null ? isoTime(job.stalledSinceMs) : null,
    activity: activityOf(rendered),
    queue: queue && !isEnded(migration) ? renderQueue(queue) : null,
    zeroing: moving && progress.zeroing ? renderZeroing(progress.zeroing) : null,
  };
};
