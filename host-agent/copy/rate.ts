/** A smoothed rate in bytes a second: exponential over about five seconds. */
export const createRate = (monotonicMs: () => number): { add(totalBytes: number): number } => {
  const WINDOW_MS = 5_000;
  let atMs = monotonicMs();
  let bytes = 0;
  let rate = 0;
  return {
    add(totalBytes) {
      const nowMs = monotonicMs();
      const elapsedMs = nowMs - atMs;
      if (elapsedMs < 50) return rate;
      const current = ((totalBytes - bytes) / elapsedMs) * 1000;
      const weight = rate === 0 ? 1 : 1 - Math.exp(-elapsedMs / WINDOW_MS);
      rate += (current - rate) * weight;
      atMs = nowMs;
      bytes = totalBytes;
      return rate;
    },
  };
};
