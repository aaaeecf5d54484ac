import type { CliDeps } from './deps.ts';

/** Ctrl-C and SIGTERM as abort signals, for as long as a command can do something better than to die. */

export interface Interrupts {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
  readonly stop: () => void;
}

/**
 * A terminal and a service manager signal the whole process group, and the launcher passes the same signal on: what comes
 * twice within this time is one wish. A person who means it twice is slower.
 */
const SAME_WISH_MS = 250;

export const listenForInterrupts = (deps: Pick<CliDeps, 'onInterrupt' | 'nowMs'>): Interrupts => {
  const first = new AbortController();
  const second = new AbortController();
  let firstAtMs = 0;
  const stop = deps.onInterrupt(() => {
    if (!first.signal.aborted) {
      firstAtMs = deps.nowMs();
      first.abort();
    } else if (deps.nowMs() - firstAtMs >= SAME_WISH_MS) {
      second.abort();
    }
  });
  return { first: first.signal, second: second.signal, stop };
};
