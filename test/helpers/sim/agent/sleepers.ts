/** Everybody of one process who waits for time to pass. Nobody wakes before somebody looks at the clock for them. */
export interface Sleepers {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Acts once when so much time has passed; the answer takes it back. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly wakeWhoIsDue: () => void;
  readonly forgetAll: () => void;
}

interface Sleeper {
  readonly dueMs: number;
  readonly act: () => void;
}

export const createSleepers = (nowMs: () => number): Sleepers => {
  const sleeping = new Set<Sleeper>();
  const after = (ms: number, act: () => void): (() => void) => {
    const mine = { dueMs: nowMs() + ms, act };
    sleeping.add(mine);
    return () => sleeping.delete(mine);
  };
  return {
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const aborted = (): void => {
          takeBack();
          reject(signal.reason as Error);
        };
        const takeBack = after(ms, () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        });
        signal.addEventListener('abort', aborted, { once: true });
      }),
    wakeWhoIsDue() {
      const due = [...sleeping].filter(({ dueMs }) => dueMs <= nowMs());
      for (const one of due) if (sleeping.delete(one)) one.act();
    },
    forgetAll: () => sleeping.clear(),
  };
};
