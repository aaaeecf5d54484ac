/**
 * Where something long may hold its breath. Before a pause begins, what is under way ends and is made durable; what goes on
 * afterwards begins where it stopped.
 */
export interface PauseDeps {
  /** Undefined, or resolved at once, unless a pause is wished; resolves when it is over. */
  readonly whilePaused: (signal: AbortSignal) => Promise<void> | undefined;
  readonly settle?: () => Promise<unknown>;
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly signal: AbortSignal;
}

/** False when it resolves within a turn of the event loop. */
const isPending = async (promise: Promise<void>): Promise<boolean> => {
  const turn = new Promise<true>((resolve) => {
    setImmediate(resolve, true);
  });
  return Promise.race([promise.then(() => false), turn]);
};

/** `idle` resolves when nothing is under way. */
export type HoldIfPaused = (idle: () => Promise<unknown>) => Promise<void>;

export const createPausing =
  (deps: PauseDeps): HoldIfPaused =>
  async (idle) => {
    const resumed = deps.whilePaused(deps.signal);
    if (!resumed || !(await isPending(resumed))) return;
    // the failure of either is thrown below; that of a pause that ends while we drain must not go unheard
    resumed.catch(() => undefined);
    await idle();
    await deps.settle?.();
    deps.onPause();
    await resumed;
    deps.onResume();
  };
