import { volmoveError } from '../../domain/error.ts';
import { progressEvent, type VolmoveEvent } from '../../domain/event.ts';
import type { Job, JobControl, Progress } from '../../domain/job/job.ts';
import { type Holder, reportProgress } from '../../domain/job/steps.ts';
import type { Clock, Notifier } from '../../domain/ports.ts';
import type { Applied } from '../../store/collection.ts';
import type { Store } from '../../store/store.ts';
import type { Measured } from './context.ts';
import { createStallWatch, type StallWatch } from './stall.ts';

/**
 * Tells how far one attempt is: into the job item, whose answer brings the control wishes back, and to subscribers. What it
 * shows never goes back, also over a resume, and it says when nothing has moved for too long.
 */
export interface Reporter {
  measured(progress: Measured): void;
  /** One report now. Returns the wishes as they stand. Throws JobSuperseded when the job was taken over or ended by others. */
  report(): Promise<JobControl>;
  /** The last report, for the write that ends the job; undefined when nothing was ever measured. */
  last(): Progress | undefined;
  readonly stall: Pick<StallWatch, 'dueInMs' | 'isDue' | 'failure'>;
}

export interface ReporterDeps {
  readonly store: Pick<Store, 'jobs'>;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly stallAfterSeconds: number;
  readonly stallFailAfterSeconds: number | null;
  /** Hears when subscribers could not be told: the report itself stands. */
  readonly onProblem?: (what: string, error: unknown) => void;
}

export const createReporter = (deps: ReporterDeps, taken: Applied<Job>, holder: () => Holder): Reporter => {
  let seen = taken;
  let measured: Measured | undefined;
  let movedSinceReport = false;
  let shownBytes = taken.value.progress?.doneBytes ?? 0;
  const stall = createStallWatch({
    ...deps,
    bandwidthBytesPerSecond: () => seen.value.control.bandwidthBytesPerSecond,
  });
  let n = 0;
  let stalledSinceMs: number | null = null;
  let last: Progress | undefined;

  const next = (nowMs: number): Progress | undefined => {
    if (!measured) return undefined;
    shownBytes = Math.max(shownBytes, measured.settledBytes);
    n += 1;
    const { totalBytes, activity, zeroing } = measured;
    const rateBytesPerSecond = movedSinceReport ? measured.rateBytesPerSecond : 0;
    movedSinceReport = false;
    return {
      doneBytes: shownBytes,
      totalBytes,
      rateBytesPerSecond,
      attempt: holder().attempt,
      n,
      atMs: nowMs,
      ...(activity ? { activity } : {}),
      ...(zeroing ? { zeroing } : {}),
    };
  };

  /** The wishes of a job that has nothing to show yet, as long as it is this attempt's. */
  const onlyRead = async (): Promise<JobControl> => {
    const now = await deps.store.jobs.get(seen.value.hostId, seen.value.id);
    const { attempt, incarnation } = holder();
    const held = now?.stage.state === 'running' && now.attempt === attempt && now.stage.incarnation === incarnation;
    if (!now || !held) throw volmoveError('JobSuperseded', { id: seen.value.id });
    return now.control;
  };

  const notify = async (events: readonly VolmoveEvent[]): Promise<void> => {
    try {
      await deps.notifier.notify(events);
    } catch (error) {
      deps.onProblem?.(`notifying of job ${seen.value.id}`, error);
    }
  };

  return {
    stall,
    measured: (progress) => {
      measured = progress;
      movedSinceReport = true;
      stall.saw(progress);
    },
    last: () => {
      last = next(deps.clock.nowMs()) ?? last;
      return last;
    },
    async report() {
      const nowMs = deps.clock.nowMs();
      const measure = next(nowMs);
      if (!measure) return onlyRead();
      const stalledForMs = stall.stalledForMs();
      const begins = stalledForMs !== undefined && stalledSinceMs === null;
      stalledSinceMs = stalledForMs === undefined ? null : (stalledSinceMs ?? nowMs - Math.round(stalledForMs));
      const progress: Progress = begins ? { ...measure, stalled: true } : measure;
      last = progress;
      seen = await deps.store.jobs.apply(
        [seen.value.hostId, seen.value.id],
        reportProgress(holder(), progress, stalledSinceMs),
        seen,
      );
      const event = progressEvent(seen.value, progress);
      if (event) await notify([event]);
      return seen.value.control;
    },
  };
};
