/** Runs one act after the other, in the order in which they were asked for; one that fails does not hold up the next. */
export type InTurn = <T>(act: () => Promise<T>) => Promise<T>;

export const createTurns = (): InTurn => {
  let turn: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = turn.then(act);
    turn = mine.catch(() => undefined);
    return mine;
  };
};

/** Turns of their own for each name: what concerns one never waits for another. */
export const createTurnsOf = (): ((name: string) => InTurn) & { readonly idle: () => Promise<void> } => {
  const lines = new Map<string, { readonly inTurn: InTurn; waiting: number }>();
  const of =
    (name: string): InTurn =>
    async (act) => {
      const line = lines.get(name) ?? { inTurn: createTurns(), waiting: 0 };
      lines.set(name, line);
      line.waiting += 1;
      try {
        return await line.inTurn(act);
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
