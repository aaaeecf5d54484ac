import type { Deps } from '../../shared/deps.ts';

/** How long a request waits for hosts, and how often it looks, in milliseconds; below what clients and gateways wait for an answer. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 150;

export interface Wait {
  readonly untilMs: number;
  readonly signal: AbortSignal | undefined;
}

export const waitFrom = (deps: Pick<Deps, 'clock'>, signal: AbortSignal | undefined): Wait => ({
  untilMs: deps.clock.nowMs() + WAIT_MS,
  signal,
});

/** Undefined when the time is over first. */
export const pollUntil = async <T>(
  deps: Pick<Deps, 'clock' | 'sleep'>,
  { untilMs, signal }: Wait,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> => {
  for (;;) {
    const found = await look();
    if (found !== undefined || signal?.aborted || deps.clock.nowMs() >= untilMs) return found;
    await deps.sleep(LOOK_EVERY_MS, signal).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  }
};
