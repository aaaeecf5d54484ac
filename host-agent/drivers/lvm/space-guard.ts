import type { PoolProblem, ThinSpace } from './space.ts';

/**
 * A thin pool that is full does not refuse: the kernel holds the writes back for a minute, and fails them then. So what takes space
 * is stopped before, at the configured limits. Looked at every few seconds while something is written, because of what
 * others write, and before it could have become full by what is written here.
 */
export interface SpaceGuard {
  /** Rejects when the pool may not take that much any more: whole blocks of its, however little of each is written. */
  admit(bytes: number, signal: AbortSignal | undefined): Promise<void>;
}

export interface GuardDeps {
  readonly space: (signal: AbortSignal) => Promise<ThinSpace | undefined>;
  readonly blockBytes: number;
  readonly dataLimitPercent: number;
  /** Why the pool takes nothing more; undefined when it does. */
  readonly problem: (space: ThinSpace) => PoolProblem | undefined;
  /** What was written is in the pool after this, and no longer on its way there. */
  readonly settle: () => Promise<void>;
  readonly refusal: (problem: PoolProblem) => Error;
  readonly monotonicMs: () => number;
}

const LOOK_EVERY_MS = 5_000;
const NEVER = new AbortController().signal;

/** Whoever asks while it is under way waits for that one. */
const joined = (act: () => Promise<void>): (() => Promise<void>) => {
  let underWay: Promise<void> | undefined;
  return () => {
    underWay ??= act().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
};

export const createSpaceGuard = (deps: GuardDeps): SpaceGuard => {
  let leftBytes = 0;
  /** Admitted, and perhaps in the page cache still. */
  let onTheWayBytes = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let problem: PoolProblem | undefined;

  const look = async (): Promise<void> => {
    const space = await deps.space(NEVER);
    lookedAtMs = deps.monotonicMs();
    // one that is not active has no volume that is open
    problem = space ? deps.problem(space) : undefined;
    const limitBlocks = Math.floor(((space?.totalDataBlocks ?? 0) * deps.dataLimitPercent) / 100);
    leftBytes = (limitBlocks - (space?.usedDataBlocks ?? 0)) * deps.blockBytes - onTheWayBytes;
  };
  /** Without doubt about what is on its way. */
  const lookClosely = async (): Promise<void> => {
    const settledBytes = onTheWayBytes;
    await deps.settle();
    onTheWayBytes -= settledBytes;
    await look();
  };
  const looks = { now: joined(look), closely: joined(lookClosely) };

  return {
    async admit(bytes, signal) {
      if (deps.monotonicMs() - lookedAtMs >= LOOK_EVERY_MS) await looks.now();
      // a look that was under way already may have begun before the last writes
      for (let times = 0; times < 2 && (problem || leftBytes < bytes); times += 1) await looks.closely();
      signal?.throwIfAborted();
      if (problem) throw deps.refusal(problem);
      if (leftBytes < bytes) {
        const why = `it has ${Math.max(0, leftBytes)} bytes left up to its limit of ${deps.dataLimitPercent} %, and ${bytes} are needed`;
        throw deps.refusal({ kind: 'full', why });
      }
      leftBytes -= bytes;
      onTheWayBytes += bytes;
    },
  };
};
