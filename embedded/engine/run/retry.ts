// Which Retrier or Catcher takes an error, and how long a retry waits. Pure.
import type { Retrier } from '../definition/types.ts';
import { STATES_ALL, STATES_DATA_LIMIT, STATES_RUNTIME, STATES_TASK_FAILED, STATES_TIMEOUT } from '../failure.ts';

/**
 * Whether ErrorEquals names the error. Wildcards do not match States.DataLimitExceeded, and nothing at all matches
 * States.Runtime (Step Functions guide, "Handling errors"). `error` is undefined when a task failed without a name.
 */
export function matchesError(errorEquals: readonly string[], error: string | undefined): boolean {
  if (error === STATES_RUNTIME) return false;
  if (error !== undefined && errorEquals.includes(error)) return true;
  if (error === STATES_DATA_LIMIT) return false;
  if (errorEquals.includes(STATES_ALL)) return true;
  return errorEquals.includes(STATES_TASK_FAILED) && error !== STATES_TIMEOUT;
}

export interface Retry {
  /** The counts by retrier, this retry included. */
  readonly counts: readonly number[];
  readonly delayMs: number;
}

/**
 * The retry that the error is due, or undefined when no Retrier matches or the matching one has none left.
 * `counts` are the retries done in this visit of the state; `random` gives a number in [0, 1).
 */
export function nextRetry(
  retriers: readonly Retrier[],
  counts: readonly number[],
  error: string | undefined,
  random: () => number,
): Retry | undefined {
  const index = retriers.findIndex((retrier) => matchesError(retrier.errorEquals, error));
  const retrier = retriers[index];
  if (retrier === undefined) return undefined;
  const done = counts[index] ?? 0;
  if (done >= retrier.maxAttempts) return undefined;
  return {
    counts: retriers.map((_, other) => (counts[other] ?? 0) + (other === index ? 1 : 0)),
    delayMs: delayMs(retrier, done, random),
  };
}

function delayMs(retrier: Retrier, done: number, random: () => number): number {
  const seconds = Math.min(retrier.intervalSeconds * retrier.backoffRate ** done, retrier.maxDelaySeconds);
  const jittered = retrier.jitter === 'FULL' ? seconds * random() : seconds;
  return Math.round(jittered * 1000);
}
