// Time as a dependency: the engine reads the clock and sets timers only through this interface.

export interface Clock {
  /** Wall-clock time, milliseconds since 1970. */
  nowMs(): number;
  /**
   * Calls `fire` once when `nowMs()` has reached `atMs` (at the next turn when it already has), never before this
   * call has returned. The returned function cancels and may be called at any time.
   */
  setTimer(atMs: number, fire: () => void): () => void;
}

/** Node's longest timer; longer waits are made of several. */
const LONGEST_DELAY_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(atMs, fire) {
    let handle: NodeJS.Timeout;
    const arm = () => {
      const delayMs = Math.min(Math.max(atMs - Date.now(), 0), LONGEST_DELAY_MS);
      // Node's timers run on the monotonic clock: look again at the wall clock before believing them.
      handle = setTimeout(() => (Date.now() >= atMs ? fire() : arm()), delayMs);
    };
    arm();
    return () => clearTimeout(handle);
  },
};
