import { type Destination, destinationOf } from './arns.ts';
import type { Delivery } from './journal.ts';
import { payloadFor } from './targets.ts';

/**
 * Brings events to their targets: at least once, some at a time, again with growing pauses when a target fails, and given up
 * after a bounded number of tries. Order is not promised, as on AWS.
 */

export interface DeliveryWorld {
  /** Rejects when the function failed or could not be invoked. */
  invokeLambda(functionName: string, event: unknown, signal: AbortSignal): Promise<unknown>;
  /** Rejects when there is no such queue. */
  sendMessage(queueName: string, body: string): Promise<unknown>;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export interface RetryPlan {
  /** Tries after the first; a target's own RetryPolicy can only lower it. */
  readonly maxRetries: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** About two and a half minutes in all: a function or queue that is missing at a start appears within it. */
export const DEFAULT_RETRY: RetryPlan = { maxRetries: 12, firstPauseMs: 200, longestPauseMs: 20_000 };

export interface Outcome {
  delivered(delivery: Delivery): void;
  /** `tries` counts the first one too. */
  givenUp(delivery: Delivery, error: unknown, tries: number): Promise<void>;
}

export interface Deliverer {
  /** `settled`: made or given up; `interrupted`: close() came first. Rejects only when givenUp did. */
  deliver(delivery: Delivery): Promise<'settled' | 'interrupted'>;
  /** Interrupts pauses and tries under way: what comes of those is not known, so they are made again after a restart. */
  close(): Promise<void>;
}

const MAX_AT_ONCE = 32;

export const createDeliverer = (world: DeliveryWorld, retry: RetryPlan, outcome: Outcome): Deliverer => {
  const closing = new AbortController();
  const slots = createSlots(MAX_AT_ONCE);
  const underWay = new Set<Promise<unknown>>();

  const tryOnce = (delivery: Delivery): Promise<unknown> =>
    orAborted(
      slots.run(() => send(world, delivery, closing.signal)),
      closing.signal,
    );

  const work = async (delivery: Delivery): Promise<'settled' | 'interrupted'> => {
    const maxRetries = Math.min(
      retry.maxRetries,
      delivery.target.RetryPolicy?.MaximumRetryAttempts ?? retry.maxRetries,
    );
    for (let tries = 1; ; tries += 1) {
      if (closing.signal.aborted) return 'interrupted';
      try {
        await tryOnce(delivery);
        outcome.delivered(delivery);
        return 'settled';
      } catch (error) {
        if (closing.signal.aborted) return 'interrupted';
        if (tries > maxRetries) {
          await outcome.givenUp(delivery, error, tries);
          return 'settled';
        }
      }
      if (!(await paused(world, pauseMs(retry, tries, world.random()), closing.signal))) return 'interrupted';
    }
  };

  return {
    deliver(delivery) {
      const done = work(delivery);
      underWay.add(done);
      return done.finally(() => underWay.delete(done));
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
    },
  };
};

/** Half of it is chance, so that what failed together does not come back together. */
const pauseMs = ({ firstPauseMs, longestPauseMs }: RetryPlan, tries: number, chance: number): number =>
  Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1)) * (0.5 + chance / 2);

const paused = async (world: DeliveryWorld, ms: number, signal: AbortSignal): Promise<boolean> => {
  try {
    await world.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
};

const send = (world: DeliveryWorld, { target, event }: Delivery, signal: AbortSignal): Promise<unknown> => {
  const destination: Destination | undefined = destinationOf(target.Arn);
  const payload = payloadFor(target, event);
  switch (destination?.kind) {
    case 'lambda':
      return world.invokeLambda(destination.functionName, payload, signal);
    case 'queue':
      return world.sendMessage(destination.queueName, JSON.stringify(payload));
    case undefined:
      return Promise.reject(new Error(`${target.Arn} is no Lambda function and no SQS queue.`));
  }
};

/** Not Promise.race with one promise for all: that one would keep every try in memory. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

const createSlots = (count: number) => {
  let free = count;
  const queue: Array<() => void> = [];
  return {
    async run<T>(job: () => Promise<T>): Promise<T> {
      if (free > 0) free -= 1;
      else await new Promise<void>((admit) => queue.push(admit));
      try {
        return await job();
      } finally {
        const next = queue.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
};
