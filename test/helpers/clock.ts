import type { Clock } from '../../domain/ports.ts';

/** Time that moves only when a test says so. Milliseconds since the epoch. */
export interface FakeClock extends Clock {
  advanceMs(ms: number): void;
}

export const START_MS = Date.UTC(2026, 0, 1);

export const fakeClock = (startMs = START_MS): FakeClock => {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    advanceMs: (ms) => {
      nowMs += ms;
    },
  };
};
