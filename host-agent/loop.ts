import { isDataKind, isJobEnded, type Job, type JobKind } from '../domain/job/job.ts';
import type { RunningJob } from './jobs/run-job.ts';
import { createPatience } from './patience.ts';

/**
 * Which jobs to run: the list of the host's own partition is the truth, a message only says "look". Copies and read-backs
 * share the configured slots; everything else is short and has slots of its own, so a removal or a seal never waits for a copy.
 */
export interface LoopDeps {
  readonly list: () => Promise<Job[]>;
  readonly run: (job: Job, stop: AbortSignal) => RunningJob;
  /** Resolves when there is a reason to look: a message, or the time between two looks. */
  readonly nextLook: (signal: AbortSignal) => Promise<void>;
  readonly heavySlots: number;
  /** False while the host must not take jobs, as its lease has lapsed; asked before each one. */
  readonly mayBegin?: () => boolean;
  readonly monotonicMs?: () => number;
  /** With it the loop looks again when a job that left no result may be tried again, and not only at the next look. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

const LIGHT_SLOTS = 16;
const isHeavy = (job: { kind: JobKind }): boolean => isDataKind(job.kind);

/** Runs until `graceful`; then lets short jobs end and stops the others, which keep their checkpoints. `force` stops all. */
export const runLoop = async (deps: LoopDeps, graceful: AbortSignal, force: AbortSignal): Promise<void> => {
  const running = new Map<string, RunningJob>();
  const patience = createPatience(deps.monotonicMs ?? (() => performance.now()));
  const mayBegin = deps.mayBegin ?? (() => true);
  const heavyStop = AbortSignal.any([graceful, force]);
  let slotFreed = new AbortController();

  const begin = (job: Job): void => {
    const started = deps.run(job, isHeavy(job) ? heavyStop : force);
    running.set(job.id, started);
    const end = (): void => {
      running.delete(job.id);
      patience.tried(job.id);
      slotFreed.abort();
    };
    started.done.catch((error: unknown) => deps.onProblem(`job ${job.id}`, error)).finally(end);
  };

  const slotsLeft = (heavy: boolean): number => {
    const used = [...running.values()].filter((job) => isHeavy(job) === heavy && !(heavy && job.rests)).length;
    return (heavy ? deps.heavySlots : LIGHT_SLOTS) - used;
  };

  const look = async (): Promise<void> => {
    if (!mayBegin()) return;
    const jobs = (await deps.list()).filter((job) => !isJobEnded(job)).sort((a, b) => a.queuedAtMs - b.queuedAtMs);
    patience.keepOnly(jobs.map((job) => job.id));
    for (const job of jobs) {
      const mine = running.get(job.id);
      if (mine) mine.heard(job);
      else if (patience.mayTry(job.id) && slotsLeft(isHeavy(job)) > 0 && mayBegin()) begin(job);
    }
  };

  const reasonToLook = async (): Promise<void> => {
    const found = new AbortController();
    const signal = AbortSignal.any([graceful, force, slotFreed.signal, found.signal]);
    const waits = [deps.nextLook(signal)];
    const nextTryInMs = patience.nextTryInMs();
    if (deps.sleep && nextTryInMs !== undefined) waits.push(deps.sleep(nextTryInMs, signal));
    await Promise.allSettled(waits.map((wait) => wait.finally(() => found.abort())));
  };

  while (!graceful.aborted && !force.aborted) {
    slotFreed = new AbortController();
    try {
      await look();
    } catch (error) {
      deps.onProblem('listing the jobs', error);
    }
    await reasonToLook();
  }
  await Promise.allSettled([...running.values()].map((job) => job.done));
};
