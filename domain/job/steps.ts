import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, volmoveError } from '../error.ts';
import {
  isJobEnded,
  type Job,
  type JobControl,
  type JobKind,
  type JobSpec,
  type JobTypes,
  NO_CONTROL,
  type Progress,
  RECENT_REPORTS,
  type Waiting,
} from './job.ts';

/** The transitions of a job. The agent's are conditional on attempt and incarnation: a frozen agent that wakes up can do nothing. */

export interface NewJob {
  readonly hostId: string;
  readonly id: string;
  readonly volumeId: string;
  readonly projectId: string;
  readonly migrationId: string | null;
  readonly run: number;
  readonly spec: JobSpec;
  readonly control?: Partial<JobControl>;
  readonly waiting?: Waiting;
  readonly nowMs: number;
}

export const newJob = ({ spec, nowMs, control, ...who }: NewJob): Job => ({
  ...who,
  ...spec,
  attempt: 0,
  control: { ...NO_CONTROL, ...control },
  progress: null,
  recent: [],
  stalledSinceMs: null,
  queuedAtMs: nowMs,
  stage: { state: 'queued' },
});

/** Which attempt of which agent process speaks. */
export interface Holder {
  readonly attempt: number;
  readonly incarnation: string;
}

const heldBy = (job: Job, holder: Holder): boolean =>
  job.stage.state === 'running' && job.attempt === holder.attempt && job.stage.incarnation === holder.incarnation;

const superseded = (job: Job): ReturnType<typeof volmoveError> => volmoveError('JobSuperseded', { id: job.id });

/** An agent takes a queued job, or one that an older incarnation (or its own earlier attempt) left running. */
export const takeJob =
  (incarnation: string, fromAttempt: number, nowMs: number) =>
  (job: Job): Decision<Job> => {
    if (isJobEnded(job)) return refuse(superseded(job));
    if (heldBy(job, { attempt: fromAttempt + 1, incarnation })) return already(job);
    if (job.attempt !== fromAttempt) return refuse(superseded(job));
    return write({ ...job, attempt: fromAttempt + 1, stage: { state: 'running', incarnation, sinceMs: nowMs } });
  };

/** A report; its answer carries the control wishes as they stand. */
export const reportProgress =
  (holder: Holder, progress: Progress, stalledSinceMs: number | null) =>
  (job: Job): Decision<Job> => {
    if (!heldBy(job, holder)) return refuse(superseded(job));
    return write({ ...job, progress, recent: [...job.recent, progress].slice(-RECENT_REPORTS), stalledSinceMs });
  };

export type JobOutcome<K extends JobKind = JobKind> =
  | { readonly ok: true; readonly result: JobTypes[K]['result'] }
  | { readonly ok: false; readonly failure: Failure };

/** The end of a job, by the attempt that holds it. Written to the job first, then told to the state machine. */
export const finishJob =
  (holder: Holder, outcome: JobOutcome, nowMs: number, progress?: Progress) =>
  (job: Job): Decision<Job> => {
    if (isJobEnded(job) && job.attempt === holder.attempt) return already(job);
    if (!heldBy(job, holder)) return refuse(superseded(job));
    return write({
      ...job,
      progress: progress ?? job.progress,
      recent: progress ? [...job.recent, progress].slice(-RECENT_REPORTS) : job.recent,
      stalledSinceMs: null,
      stage: outcome.ok
        ? { state: 'succeeded', endedAtMs: nowMs, result: outcome.result }
        : { state: 'failed', endedAtMs: nowMs, failure: outcome.failure },
    });
  };

/** The sweeper's, for a job whose host is lost or whose run has lost its claim; nobody has to agree. */
export const failJob =
  (failure: Failure, nowMs: number) =>
  (job: Job): Decision<Job> =>
    isJobEnded(job) ? already(job) : write({ ...job, stage: { state: 'failed', endedAtMs: nowMs, failure } });

/** A wish; a job that no agent has taken ends at once when it is cancelled. */
export const wishJob =
  (wish: Partial<JobControl>, cancelled: Failure, nowMs: number) =>
  (job: Job): Decision<Job> => {
    if (isJobEnded(job)) return already(job);
    const control = { ...job.control, ...wish };
    if (control.cancel && job.stage.state === 'queued') {
      return write({ ...job, control, stage: { state: 'failed', endedAtMs: nowMs, failure: cancelled } });
    }
    const same = (Object.keys(wish) as (keyof JobControl)[]).every((key) => job.control[key] === wish[key]);
    return same ? already(job) : write({ ...job, control });
  };
