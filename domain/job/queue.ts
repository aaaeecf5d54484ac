import { DEFAULT_PRIORITY, type Priority } from '../priority.ts';
import { type DataKind, isDataKind, isJobEnded, type Job } from './job.ts';

/**
 * The queue of a host: in which order its copies and read-backs get a place, and why one has none yet. The agent chooses by it
 * and the API shows it; neither asks a clock, so both come to the same order.
 */

/** How many copies and read-backs may run at once; a backend that is not named has no limit of its own. */
export interface Places {
  readonly host: number;
  readonly backends: Readonly<Record<string, number>>;
}
export type WaitsFor = 'host' | 'backend';
type DataJob = Extract<Job, { readonly kind: DataKind }>;

const DAY_MS = 86_400_000;
/**
 * A job of a higher priority counts as if it had come so much earlier. So priority goes first, and yet nobody waits for ever:
 * whoever comes later than that passes nobody. Well below the seven days that a copy may take, its wait included.
 */
export const HEAD_START_MS: Readonly<Record<Priority, number>> = { low: 0, normal: DAY_MS, high: 2 * DAY_MS };

const priorityOf = ({ control }: Job): Priority => control.priority ?? DEFAULT_PRIORITY;
const countsFromMs = (job: Job): number => job.queuedAtMs - HEAD_START_MS[priorityOf(job)];

/** A total order: the sooner, the further to the front. */
export const compareQueued = (a: Job, b: Job): number => {
  const rank = countsFromMs(a) - countsFromMs(b) || a.queuedAtMs - b.queuedAtMs;
  return rank !== 0 ? rank : Number(a.id > b.id) - Number(a.id < b.id);
};

const isDataJob = (job: Job): job is DataJob => isDataKind(job.kind);

/** The backend of a copy or read-back at its own host: the source's, or the destination's. */
export const backendOf = (job: Job): string | undefined => {
  if (!isDataJob(job)) return undefined;
  switch (job.kind) {
    case 'backend.move':
    case 'data.copy':
    case 'data.repair':
      return job.input.source.backend;
    case 'data.verify':
    case 'data.reverify':
      return job.input.object.backend;
  }
};

/** What the job lacks beside those that hold a place; undefined: it may begin. */
export const lacks = (job: Job, holding: readonly Job[], places: Places): WaitsFor | undefined => {
  const backend = backendOf(job);
  const atBackend = holding.filter((other) => backendOf(other) === backend).length;
  const limit = backend !== undefined && Object.hasOwn(places.backends, backend) ? places.backends[backend] : undefined;
  if (limit !== undefined && atBackend >= limit) return 'backend';
  return holding.length >= places.host ? 'host' : undefined;
};

const isUnderWay = (job: Job): boolean => isDataJob(job) && !isJobEnded(job);

/** Taken by this agent process and not said to be without a place: what an older one has left behind waits to be taken. */
const isAtWork = ({ stage, progress }: Job, incarnation: string): boolean =>
  stage.state === 'running' && stage.incarnation === incarnation && progress?.activity !== 'queued';

/** As the store shows it: not paused, not at work. */
export const isQueued = (job: Job, incarnation: string): boolean =>
  isUnderWay(job) && !job.control.paused && !isAtWork(job, incarnation);

export interface QueuePlace {
  /** From 1. */
  readonly position: number;
  readonly of: number;
  readonly waitingFor: WaitsFor;
  readonly hostId: string;
  readonly backend: string;
}

/** The host's jobs that wait, by id; whoever is not there does not wait. */
export const queueOf = (jobs: readonly Job[], places: Places, incarnation: string): Map<string, QueuePlace> => {
  const waiting = jobs.filter((job) => isQueued(job, incarnation)).sort(compareQueued);
  const holding = jobs.filter((job) => isUnderWay(job) && !job.control.paused && isAtWork(job, incarnation));
  return new Map(
    waiting.map((job, index) => [
      job.id,
      {
        position: index + 1,
        of: waiting.length,
        // one that nothing keeps back waits for its host to take it
        waitingFor: lacks(job, holding, places) ?? 'host',
        hostId: job.hostId,
        backend: backendOf(job) ?? '',
      },
    ]),
  );
};
