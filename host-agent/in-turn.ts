/**
 * Runs one act after the other, in the order in which they were asked for; one that fails does not hold up the next. An abort ends
 * the waiting for the turn; what has begun is the act's own to stop.
 */
export type InTurn = <T>(act: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export const createTurns = (): InTurn => {
  let turn: Promise<unknown> = Promise.resolve();
  return (act, signal) => {
    let isWaiting = true;
    const mine = turn.then(() => {
      isWaiting = false;
      signal?.throwIfAborted();
      return act();
    });
    turn = mine.catch(() => undefined);
    if (!signal) return mine;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        if (isWaiting) reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const over = (): void => signal.removeEventListener('abort', onAbort);
      mine.finally(over).then(resolve, reject);
      if (signal.aborted) onAbort();
    });
  };
};

/** Turns of their own for each name: what concerns one never waits for another. */
export const createTurnsOf = (): ((name: string) => InTurn) & { readonly idle: () => Promise<void> } => {
  const lines = new Map<string, { readonly inTurn: InTurn; waiting: number }>();
  const of =
    (name: string): InTurn =>
    async (act, signal) => {
      const line = lines.get(name) ?? { inTurn: createTurns(), waiting: 0 };
      lines.set(name, line);
      line.waiting += 1;
      try {
        return await line.inTurn(act, signal);
      } finally {
        line.waiting -= 1;
        if (line.waiting === 0) lines.delete(name);
      }
    };
  /** Resolves when everything that was asked for until now is over. */
  const idle = async (): Promise<void> => {
    await Promise.all([...lines.values()].map(({ inTurn }) => inTurn(async () => undefined)));
  };
  return Object.assign(of, { idle });
};
