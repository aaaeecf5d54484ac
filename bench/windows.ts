/** What went by, and when: how even it was. */
export interface Gone {
  readonly atMs: number;
  readonly bytes: number;
}

const WINDOW_MS = 5_000;

/**
 * The worst shares of `perSecond` that any five seconds within [fromMs, untilMs] saw; 1 is exact. Windows begin or end just
 * beside something that went by: no other can be worse.
 */
export const worstOfAnyWindow = (
  gone: readonly Gone[],
  perSecond: number,
  [fromMs, untilMs]: readonly [number, number],
): { readonly least: number; readonly most: number } => {
  const sums = [0];
  for (const { bytes } of gone) sums.push((sums.at(-1) ?? 0) + bytes);
  /** How many went by before `ms`, or until then. */
  const count = (ms: number, included: boolean): number => {
    let [low, high] = [0, gone.length];
    while (low < high) {
      const mid = (low + high) >> 1;
      const at = gone[mid]?.atMs ?? 0;
      if (at < ms || (included && at === ms)) low = mid + 1;
      else high = mid;
    }
    return low;
  };
  const sum = (from: number, until: number): number => (sums[until] ?? 0) - (sums[from] ?? 0);
  const due = (perSecond * WINDOW_MS) / 1000;
  let [least, most] = [1, 1];
  const starts = [fromMs, ...gone.flatMap(({ atMs }) => [atMs, atMs - WINDOW_MS])];
  for (const start of starts) {
    if (start < fromMs || start + WINDOW_MS > untilMs) continue;
    most = Math.max(most, sum(count(start, false), count(start + WINDOW_MS, true)) / due);
    least = Math.min(least, sum(count(start, true), count(start + WINDOW_MS, false)) / due);
  }
  return { least, most };
};
