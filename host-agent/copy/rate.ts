/** A smoothed rate in bytes a second: exponential over about five seconds. The first count is what it begins from. */
export const createRate = (monotonicMs: () => number): { add(totalBytes: number): number } => {
  const WINDOW_MS = 5_000;
  let counted: { readonly atMs: number; readonly bytes: number } | undefined;
  let rate = 0;
  return {
    add(totalBytes) {
      const nowMs = monotonicMs();
      const before = counted ?? { atMs: nowMs, bytes: totalBytes };
      counted ??= before;
      const elapsedMs = nowMs - before.atMs;
      if (elapsedMs < 50) return rate;
      const current = ((totalBytes - before.bytes) / elapsedMs) * 1000;
      const weight = rate === 0 ? 1 : 1 - Math.exp(-elapsedMs / WINDOW_MS);
      rate += (current - rate) * weight;
      counted = { atMs: nowMs, bytes: totalBytes };
      return rate;
    },
  };
};
