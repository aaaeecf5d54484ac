// The timers of one execution, at most one under each key.
import type { Clock } from '../clock.ts';

export interface Timers {
  /** Replaces the timer under this key. */
  set(key: string, atMs: number, fire: () => void): void;
  cancel(key: string): void;
  clear(): void;
}

export function createTimers(clock: Clock): Timers {
  const armed = new Map<string, () => void>();
  const cancel = (key: string): void => {
    armed.get(key)?.();
    armed.delete(key);
  };
  return {
    cancel,
    set(key, atMs, fire) {
      cancel(key);
      armed.set(
        key,
        clock.setTimer(atMs, () => {
          armed.delete(key);
          fire();
        }),
      );
    },
    clear() {
      for (const key of [...armed.keys()]) cancel(key);
    },
  };
}
