import { progressEvent } from '../../domain/event.ts';
import type { Job, JobControl, Progress } from '../../domain/job/job.ts';
import { type Holder, reportProgress } from '../../domain/job/steps.ts';
import type { Clock, Notifier } from '../../domain/ports.ts';
import type { Applied } from '../../store/collection.ts';
import type { Store } from '../../store/store.ts';
import type { Measured } from './context.ts';

/**
 * Tells how far one attempt is: into the job item, whose answer brings the control wishes back, and to subscribers. What it
 * shows never goes back, also over a resume, and it says when nothing has moved for too long.
 */
export interface Reporter {
  measured(progress: Measured): void;
  /** One report now. Returns the wishes as they stand. Throws JobSuperseded when the job was taken over. */
  report(): Promise<JobControl>;
  /** The last report, for the write that ends the job; undefined when nothing was ever measured. */
  last(): Progress | undefined;
}

export interface ReporterDeps {
  readonly store: Pick<Store, 'jobs'>;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly stallAfterSeconds: number;
}

export const createReporter = (deps: ReporterDeps, taken: Applied<Job>, holder: () => Holder): Reporter => {
  let seen = taken;
  let measured: Measured | undefined;
  let shownBytes = taken.value.progress?.doneBytes ?? 0;
  let movedAtMs = deps.clock.nowMs();
  let n = 0;
  let stalledSinceMs: number | null = null;
  let last: Progress | undefined;

  const next = (nowMs: number): Progress | undefined => {
    if (!measured) return undefined;
    if (measured.settledBytes > shownBytes || n === 0) movedAtMs = nowMs;
    shownBytes = Math.max(shownBytes, measured.settledBytes);
    n += 1;
    const { totalBytes, rateBytesPerSecond } = measured;
    return { doneBytes: shownBytes, totalBytes, rateBytesPerSecond, attempt: holder().attempt, n, atMs: nowMs };
  };

  return {
    measured: (progress) => {
      measured = progress;
    },
    last: () => {
      last = next(deps.clock.nowMs()) ?? last;
      return last;
    },
    async report() {
      const nowMs = deps.clock.nowMs();
      const progress = next(nowMs);
      if (!progress) {
        const now = await deps.store.jobs.get(seen.value.hostId, seen.value.id);
        return now?.control ?? seen.value.control;
      }
      last = progress;
      const stalled = nowMs - movedAtMs >= deps.stallAfterSeconds * 1000 && !seen.value.control.paused;
      const begins = stalled && stalledSinceMs === null;
      stalledSinceMs = stalled ? (stalledSinceMs ?? movedAtMs) : null;
      seen = await deps.store.jobs.apply(
        [seen.value.hostId, seen.value.id],
        reportProgress(holder(), progress, stalledSinceMs),
        seen,
      );
      const events = [
        progressEvent(seen.value, progress),
        begins ? progressEvent(seen.value, progress, true) : undefined,
      ];
      await deps.notifier.notify(events.filter((event) => event !== undefined));
      return seen.value.control;
    },
  };
};
