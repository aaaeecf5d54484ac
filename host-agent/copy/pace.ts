/**
 * Time and bytes of a rate limit: what may pass now, and how long to wait. In any five seconds no more than 103.5 % of the rate
 * passes: a pause of the taker's is made up for up to a burst, and one grain may be at either end.
 */
export interface Pace {
  /** Milliseconds until something may pass; 0: now. A large request passes at once, those who come later pay for it. */
  waitMs(): number;
  /** What was asked for at another rate costs no more than a grain: it was even then, and nobody is to pay for it for long. */
  spend(bytes: number, askedPerSecond: number | undefined): void;
  /** Undefined: no limit. */
  perSecond(): number | undefined;
  grainBytes(): number;
}

export interface PaceDeps {
  readonly monotonicMs: () => number;
  /** Bytes a second as it is wished now; null, undefined or 0: no limit. */
  readonly rate: () => number | null | undefined;
}

const BURST_SECONDS = 0.125;
const GRAIN_SECONDS = 0.05;
/** Smaller requests cost more than their evenness is worth, and would not be aligned for direct I/O. */
const MIN_GRAIN_BYTES = 4096;

const grainOf = (perSecond: number | undefined): number =>
  perSecond === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(MIN_GRAIN_BYTES, Math.floor((perSecond * GRAIN_SECONDS) / MIN_GRAIN_BYTES) * MIN_GRAIN_BYTES);

export const createPace = ({ monotonicMs, rate }: PaceDeps): Pace => {
  let perSecond: number | undefined;
  /** Below 0: a debt. */
  let tokens = 0;
  let filledAtMs = monotonicMs();

  const fill = (): void => {
    const nowMs = monotonicMs();
    const wished = rate() || undefined;
    // neither what was saved up at another rate nor a debt of slower times counts after a change
    if (wished !== perSecond) tokens = 0;
    else if (wished !== undefined)
      tokens = Math.min(wished * BURST_SECONDS, tokens + ((nowMs - filledAtMs) / 1000) * wished);
    perSecond = wished;
    filledAtMs = nowMs;
  };

  return {
    waitMs() {
      fill();
      if (perSecond === undefined || tokens >= 0) return 0;
      return Math.max(1, Math.ceil((-tokens / perSecond) * 1000));
    },
    spend(bytes, asked) {
      if (perSecond !== undefined) tokens -= asked === perSecond ? bytes : Math.min(bytes, grainOf(perSecond));
    },
    perSecond: () => rate() || undefined,
    grainBytes: () => grainOf(rate() || undefined),
  };
};
