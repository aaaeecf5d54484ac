import { throwIfAborted } from '../device/errors.ts';

/**
 * A rate limit that can be changed while it is used: at most `rate` bytes a second on average, with bursts of a quarter of a
 * second (1 MiB at the least, or a single chunk could never pass).
 */
export interface TokenBucket {
  /** Resolves when `bytes` may be sent. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}

export interface BucketDeps {
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Bytes a second as it is wished now; null, undefined or 0: no limit. Asked again at least four times a second. */
  readonly rate: () => number | null | undefined;
}

const MIN_BURST_BYTES = 1024 * 1024;
const MAX_SLEEP_MS = 250;

export const createTokenBucket = ({ monotonicMs, sleep, rate }: BucketDeps): TokenBucket => {
  let tokens = 0;
  let filledAtMs = monotonicMs();
  const fill = (perSecond: number): void => {
    const nowMs = monotonicMs();
    tokens = Math.min(Math.max(MIN_BURST_BYTES, perSecond / 4), tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
    filledAtMs = nowMs;
  };
  return {
    async take(bytes, signal) {
      for (;;) {
        throwIfAborted(signal);
        const perSecond = rate();
        if (!perSecond) {
          // a debt of slower times is not asked back after the limit was lifted and set again
          tokens = 0;
          filledAtMs = monotonicMs();
          return;
        }
        fill(perSecond);
        if (tokens > 0) {
          // a debt is paid off by those who come later: large requests are never starved
          tokens -= bytes;
          return;
        }
        await sleep(Math.min(MAX_SLEEP_MS, Math.max(1, (-tokens / perSecond) * 1000)), signal);
      }
    },
  };
};
