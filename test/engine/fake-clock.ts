// A clock that stands still until a test moves it.
import type { Clock } from '../../embedded/engine/engine.ts';

export interface FakeClock extends Clock {
  /** Moves the time to the next timer and fires it; false when there is none (or none until `limitMs`). */
  fireNext(limitMs?: number): boolean;
  setTime(atMs: number): void;
  readonly pending: number;
}

export function createFakeClock(startMs = Date.UTC(2030, 0, 1)): FakeClock {
  let now = startMs;
  let timers: { atMs: number; fire: () => void }[] = [];
  return {
    nowMs: () => now,
    setTimer(atMs, fire) {
      const timer = { atMs, fire };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    fireNext(limitMs = Number.POSITIVE_INFINITY) {
      const next = timers.toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > limitMs) return false;
      timers = timers.filter((other) => other !== next);
      now = Math.max(now, next.atMs);
      next.fire();
      return true;
    },
    setTime(atMs) {
      now = atMs;
    },
    get pending() {
      return timers.length;
    },
  };
}
