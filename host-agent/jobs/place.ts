import type { JobControl } from '../../domain/job/job.ts';
import type { Measured } from './context.ts';
import type { ControlBox } from './control-box.ts';

/**
 * A job's place among those of its host that run at once. A pause gives it up; when the pause is over the job stays where it is
 * until it has one again. Whoever handles its bytes sees one thing only: that it is held.
 */
export interface Place {
  /** False while a pause is wished, and after it until `goOn`. */
  readonly held: boolean;
  /** No pause is wished, and it has no place. */
  readonly waits: boolean;
  /** Wishes as read from the job. */
  heard(wished: JobControl): void;
  goOn(): void;
  /** A measure as it is told: a job that waits for its place is not paused. */
  told(measured: Measured): Measured;
  /** The place is given up, asked for or taken. */
  onChange(listener: () => void): void;
}

/** `shown` is what the job acts on. */
export const createPlace = (first: JobControl, shown: ControlBox): Place => {
  let wished = first;
  let held = !first.paused;
  const listeners: (() => void)[] = [];
  const become = (next: JobControl, holds: boolean): void => {
    const changed = wished.paused !== next.paused || held !== holds;
    wished = next;
    held = holds;
    shown.set({ ...next, paused: !holds });
    if (changed) for (const listener of listeners) listener();
  };
  return {
    get held() {
      return held;
    },
    get waits() {
      return !held && !wished.paused;
    },
    heard: (next) => become(next, held && !next.paused),
    goOn: () => become(wished, !wished.paused),
    told: (measured) =>
      measured.activity === 'paused' && !wished.paused ? { ...measured, activity: 'queued' } : measured,
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
};
