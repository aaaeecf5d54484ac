/**
 * Runs tasks with a bounded number at once, each with a buffer of its own from a fixed set. The first failure stops the
 * intake and is what everything here throws, after what was under way has ended: nothing writes behind the caller's back.
 */
export interface InFlight {
  /** Resolves when the task has begun; rejects with the first failure of any. */
  run(task: (buffer: Buffer) => Promise<void>): Promise<void>;
  /** Runs beside the others, without a buffer and without waiting for one. */
  beside(task: () => Promise<void>): void;
  /** Resolves when the condition holds, which is looked at whenever a task has ended; rejects with the first failure. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when nothing is under way; more may be begun afterwards. */
  idle(): Promise<void>;
  /** The same, also after a failure: waits for what is under way first, and throws then. */
  drain(): Promise<void>;
}

export const createInFlight = (buffers: readonly Buffer[]): InFlight => {
  const free = [...buffers];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const track = (task: () => Promise<void>): void => {
    const mine = task()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(mine));
    running.add(mine);
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!failure && !condition()) {
      if (running.size === 0) throw new TypeError('this will never come true: nothing is under way');
      await Promise.race(running);
    }
    if (failure) throw failure.error;
  };

  return {
    async run(task) {
      await until(() => free.length > 0);
      const buffer = free.pop() as Buffer;
      track(() => task(buffer).finally(() => free.push(buffer)));
    },
    beside: track,
    until,
    idle: () => until(() => running.size === 0),
    async drain() {
      while (running.size > 0) await Promise.all(running);
      if (failure) throw failure.error;
    },
  };
};
