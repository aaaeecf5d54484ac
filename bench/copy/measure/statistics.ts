/** Medians, spreads and ratios; nothing else is drawn from so few runs on a machine that does other things too. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one value; of an even number the mean of the two in the middle. */
export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b);
  const min = sorted.at(0);
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('there is no median of nothing');
  const half = sorted.length / 2;
  const low = sorted[Math.ceil(half) - 1] ?? min;
  const high = sorted[Math.floor(half)] ?? max;
  return { median: (low + high) / 2, min, max };
};

/** Above 1: we are faster than the peer. */
export const ratioOf = (peerSeconds: number, ourSeconds: number): number => peerSeconds / ourSeconds;
