import { setImmediate } from 'node:timers/promises';
import { abortReason, throwIfAborted } from '../device/errors.ts';
import { createFairQueue, type Place } from './fair-queue.ts';
import { createPace, type PaceDeps } from './pace.ts';

/** A rate limit that can be changed while it is used. */
export interface TokenBucket {
  /** Resolves when `bytes` may be sent. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  /** Whoever takes more at once makes the flow uneven; Infinity without a limit. */
  readonly grainBytes: number;
}

/**
 * One limit for several: as long as they want more than it gives, each is given the same number of bytes, however many requests
 * it makes at once; what one does not want is left to the others.
 */
export interface SharedBucket {
  /** One more that shares; nothing is kept of one that waits for nothing. */
  join(): TokenBucket;
}

export interface BucketDeps extends PaceDeps {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** So soon, in milliseconds, is a new rate seen by those who wait. */
const MAX_SLEEP_MS = 250;

interface Waiter {
  readonly bytes: number;
  /** The rate when it asked. */
  readonly perSecond: number | undefined;
  readonly pass: () => void;
  readonly fail: (error: Error) => void;
}

export const createTokenBucket = (deps: BucketDeps): TokenBucket => createSharedBucket(deps).join();

export const createSharedBucket = (deps: BucketDeps): SharedBucket => {
  const pace = createPace(deps);
  const queue = createFairQueue<Waiter>();
  let serving = false;
  let nobodyWaits = new AbortController();

  const rest = async (ms: number): Promise<void> => {
    const { signal } = nobodyWaits;
    try {
      await deps.sleep(Math.min(MAX_SLEEP_MS, ms), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const serveNext = (): void => {
    const waiter = queue.next();
    if (!waiter) return;
    pace.spend(waiter.bytes, waiter.perSecond);
    waiter.pass();
  };
  /** Runs while anybody waits. A clock that fails fails those who wait for it. */
  const serve = async (): Promise<void> => {
    serving = true;
    try {
      while (!queue.isEmpty) {
        const waitMs = pace.waitMs();
        if (waitMs > 0) await rest(waitMs);
        else serveNext();
        // whoever was served is back with its next request before another is chosen in its place
        if (!queue.isEmpty) await setImmediate();
      }
    } catch (error) {
      for (const waiter of queue.clear()) waiter.fail(error as Error);
    } finally {
      serving = false;
    }
  };
  const wait = (place: Place<Waiter>, bytes: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const heedless = (): void => signal.removeEventListener('abort', aborted);
      const waiter: Waiter = {
        bytes,
        perSecond: pace.perSecond(),
        pass() {
          heedless();
          resolve();
        },
        fail(error) {
          heedless();
          reject(error);
        },
      };
      const aborted = (): void => {
        place.remove(waiter);
        reject(abortReason(signal));
        if (!queue.isEmpty) return;
        nobodyWaits.abort();
        nobodyWaits = new AbortController();
      };
      signal.addEventListener('abort', aborted, { once: true });
      place.add(waiter);
    });

  return {
    join() {
      const place = queue.join();
      return {
        get grainBytes() {
          return pace.grainBytes();
        },
        async take(bytes, signal) {
          throwIfAborted(signal);
          if (!serving && pace.waitMs() === 0) {
            place.give(bytes);
            pace.spend(bytes, pace.perSecond());
            return;
          }
          const passed = wait(place, bytes, signal);
          if (!serving) void serve();
          await passed;
        },
      };
    },
  };
};
