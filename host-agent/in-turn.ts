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
