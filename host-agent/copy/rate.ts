/**
 * A smoothed rate in bytes a second: the average of the first seconds, then exponential over about five. The first count is
 * what it begins from.
 */
export interface Rate {
  /** `totalBytes` only grows. Returns the rate as it is now. */
  add(totalBytes: number): number;
  /** Nothing moves from now on, by intent: the rate is 0, and the time until the next `add` does not count. */
  rest(): void;
}

const WINDOW_MS = 5_000;
/** What comes closer together than this is taken together: one chunk alone says nothing about a rate. */
const MIN_ELAPSED_MS = 50;

export const createRate = (monotonicMs: () => number): Rate => {
  let counted: { readonly atMs: number; readonly bytes: number } | undefined;
  let rate = 0;
  let countedMs = 0;
  return {
    add(totalBytes) {
      const nowMs = monotonicMs();
      const before = counted ?? { atMs: nowMs, bytes: totalBytes };
      counted ??= before;
      const elapsedMs = nowMs - before.atMs;
      if (elapsedMs < MIN_ELAPSED_MS) return rate;
      const current = ((totalBytes - before.bytes) / elapsedMs) * 1000;
      countedMs += elapsedMs;
      rate += (current - rate) * Math.max(1 - Math.exp(-elapsedMs / WINDOW_MS), elapsedMs / countedMs);
      counted = { atMs: nowMs, bytes: totalBytes };
      return rate;
    },
    rest() {
      rate = 0;
      countedMs = 0;
      counted = undefined;
    },
  };
};
