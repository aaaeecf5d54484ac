import { isDataKind, isJobEnded, type Job, type JobKind } from '../domain/job/job.ts';
import { compareQueued, lacks, type Places } from '../domain/job/queue.ts';
import type { RunningJob } from './jobs/run-job.ts';
import { createPatience } from './patience.ts';

/**
 * Which jobs to run: the list of the host's own partition is the truth, a message only says "look". Copies and read-backs
 * share the places of the host and of its backends, in the order of the queue (domain/job/queue.ts); everything else is short
 * and has slots of its own, so a removal or a seal never waits for a copy.
 */
export interface LoopDeps {
  readonly list: () => Promise<Job[]>;
  /** `onPlace` hears when the job gives up its place, or wants one. */
  readonly run: (job: Job, stop: AbortSignal, onPlace: () => void) => RunningJob;
  /** Resolves when there is a reason to look: a message, or the time between two looks. */
  readonly nextLook: (signal: AbortSignal) => Promise<void>;
  readonly places: Places;
  /** False while the host must not take jobs, as its lease has lapsed; asked before each one. */
  readonly mayBegin?: () => boolean;
  readonly monotonicMs?: () => number;
  /** With it the loop looks again when a job that left no result may be tried again, and not only at the next look. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

interface Running {
  /** As last listed. */
  job: Job;
  readonly started: RunningJob;
}

const LIGHT_SLOTS = 16;
const isHeavy = (job: { kind: JobKind }): boolean => isDataKind(job.kind);
/** Nobody has begun it, and nobody shall: it neither holds a place nor waits for one. */
const isSetAside = ({ stage, control }: Job): boolean => stage.state === 'queued' && control.paused;

/** Runs until `graceful`; then lets short jobs end and stops the others, which keep their checkpoints. `force` stops all. */
export const runLoop = async (deps: LoopDeps, graceful: AbortSignal, force: AbortSignal): Promise<void> => {
  const running = new Map<string, Running>();
  const patience = createPatience(deps.monotonicMs ?? (() => performance.now()));
  const mayBegin = deps.mayBegin ?? (() => true);
  const heavyStop = AbortSignal.any([graceful, force]);
  let changed = new AbortController();

  const begin = (job: Job): void => {
    const started = deps.run(job, isHeavy(job) ? heavyStop : force, () => changed.abort());
    running.set(job.id, { job, started });
    const end = (): void => {
      running.delete(job.id);
      patience.tried(job.id);
      changed.abort();
    };
    started.done.catch((error: unknown) => deps.onProblem(`job ${job.id}`, error)).finally(end);
  };

  const hasLightSlot = (): boolean => [...running.values()].filter(({ job }) => !isHeavy(job)).length < LIGHT_SLOTS;
  const holding = (): Job[] =>
    [...running.values()].filter(({ job, started }) => isHeavy(job) && !started.rests).map(({ job }) => job);
  /** One that only has to end asks for no place. */
  const hasPlace = (job: Job): boolean => job.control.cancel || lacks(job, holding(), deps.places) === undefined;

  const beginLight = (jobs: readonly Job[]): void => {
    for (const job of jobs.toSorted((a, b) => a.queuedAtMs - b.queuedAtMs))
      if (!running.has(job.id) && patience.mayTry(job.id) && hasLightSlot() && mayBegin()) begin(job);
  };

  const givePlaces = (jobs: readonly Job[]): void => {
    for (const job of jobs.toSorted(compareQueued)) {
      const mine = running.get(job.id)?.started;
      if (mine) {
        if (mine.waits && hasPlace(job)) mine.goOn();
      } else if (!isSetAside(job) && patience.mayTry(job.id) && hasPlace(job) && mayBegin()) begin(job);
    }
  };

  const look = async (): Promise<void> => {
    if (!mayBegin()) return;
    const jobs = (await deps.list()).filter((job) => !isJobEnded(job));
    patience.keepOnly(jobs.map((job) => job.id));
    for (const job of jobs) {
      const mine = running.get(job.id);
      if (!mine) continue;
      mine.job = job;
      mine.started.heard(job);
    }
    givePlaces(jobs.filter(isHeavy));
    beginLight(jobs.filter((job) => !isHeavy(job)));
  };

  const reasonToLook = async (): Promise<void> => {
    const found = new AbortController();
    const signal = AbortSignal.any([graceful, force, changed.signal, found.signal]);
    const waits = [deps.nextLook(signal)];
    const nextTryInMs = patience.nextTryInMs();
    if (deps.sleep && nextTryInMs !== undefined) waits.push(deps.sleep(nextTryInMs, signal));
    await Promise.allSettled(waits.map((wait) => wait.finally(() => found.abort())));
  };

  while (!graceful.aborted && !force.aborted) {
    changed = new AbortController();
    try {
      await look();
    } catch (error) {
      deps.onProblem('listing the jobs', error);
    }
    await reasonToLook();
  }
  await Promise.allSettled([...running.values()].map(({ started }) => started.done));
};
