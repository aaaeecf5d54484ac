import { VolmoveError } from '../../domain/error.ts';
import type { JobControl } from '../../domain/job/job.ts';
import type { Reporter } from './reporter.ts';

/**
 * Reports at the interval until the signal, at once when somebody rings, and as soon as a stall has to be told of; learns of
 * wishes and of a takeover with the answers. A stall that has lasted for too long ends the attempt.
 */
export interface Reporting {
  readonly intervalMs: number;
  readonly stall: Reporter['stall'];
  readonly report: () => Promise<JobControl>;
  readonly onControl: (control: JobControl) => void;
  /** Ends the attempt, for this reason. */
  readonly end: (reason: VolmoveError) => void;
  readonly onProblem: (error: unknown) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly bell: Bell;
}

export interface Bell {
  ring(): void;
  /** Aborted by the next ring after this was asked for, or by one that nobody has heard yet. */
  heard(): AbortSignal;
}

export const createBell = (): Bell => {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    heard() {
      const { signal } = rung;
      if (signal.aborted) rung = new AbortController();
      return signal;
    },
  };
};

/** Sleeps until a report is due. Never rejects. */
const untilDue = async ({ intervalMs, stall, sleep, bell }: Reporting, signal: AbortSignal): Promise<void> => {
  const rung = bell.heard();
  if (rung.aborted) return;
  for (let leftMs = intervalMs; leftMs > 0 && !signal.aborted && !rung.aborted; ) {
    const ms = Math.min(leftMs, Math.ceil(stall.dueInMs()));
    await sleep(ms, AbortSignal.any([signal, rung])).catch(() => undefined);
    leftMs -= ms;
    if (leftMs > 0 && stall.isDue()) return;
  }
  bell.heard();
};

export const keepReporting = async (deps: Reporting, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await untilDue(deps, signal);
    if (signal.aborted) return;
    const stalled = deps.stall.failure();
    if (stalled) return deps.end(stalled);
    try {
      deps.onControl(await deps.report());
    } catch (error) {
      if (error instanceof VolmoveError && error.code === 'JobSuperseded') deps.end(error);
      // what cannot be told now is told at the next interval; the lease stops the work when nothing gets through at all
      else deps.onProblem(error);
    }
  }
};
