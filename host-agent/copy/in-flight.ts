/**
 * Runs tasks with a bounded number at once, each with a buffer of its own from a fixed set. The first failure stops the
 * intake and is what `drain` throws, after everything that was under way has ended: nothing writes behind the caller's back.
 */
export interface InFlight {
  /** Resolves when the task has begun; rejects with the first failure. */
  run(task: (buffer: Buffer) => Promise<void>): Promise<void>;
  drain(): Promise<void>;
}

export const createInFlight = (buffers: readonly Buffer[]): InFlight => {
  const free = [...buffers];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const begin = (task: (buffer: Buffer) => Promise<void>, buffer: Buffer): void => {
    const mine = task(buffer)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        free.push(buffer);
        running.delete(mine);
      });
    running.add(mine);
  };

  return {
    async run(task) {
      while (free.length === 0 && !failure) await Promise.race(running);
      if (failure) throw failure.error;
      begin(task, free.pop() as Buffer);
    },
    async drain() {
      while (running.size > 0) await Promise.all(running);
      if (failure) throw failure.error;
    },
  };
};
