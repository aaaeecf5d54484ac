import { setImmediate } from 'node:timers/promises';

/** So many turns of the event loop let everything end that waits for nothing but promises. */
const QUIET_TURNS = 3;
const MAX_IDLE = 1_000;

export interface VirtualTime {
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly sleeping: () => number;
  /** Lets everything run that can, and moves time on to the next alarm only when nothing can, until it is `untilMs`. */
  runUntil(untilMs: number): Promise<void>;
  /** The same until the work is done. */
  finish<T>(work: Promise<T>): Promise<T>;
}

/** Time that moves only when everybody sleeps. `lateMs`: how much later than asked a sleeper wakes, as a real one does. */
export const virtualTime = (lateMs: () => number = () => 0): VirtualTime => {
  let nowMs = 0;
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  const quiet = async (): Promise<void> => {
    for (let turn = 0; turn < QUIET_TURNS; turn++) await setImmediate();
  };
  const wakeAt = (ms: number): void => {
    nowMs = ms;
    const due = sleepers.filter((s) => s.atMs <= ms);
    sleepers = sleepers.filter((s) => s.atMs > ms);
    for (const { wake } of due) wake();
  };
  const nextAlarm = (): number => Math.min(...sleepers.map((s) => s.atMs));

  return {
    nowMs: () => nowMs,
    sleeping: () => sleepers.length,
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        const aborted = (): void => {
          sleepers = sleepers.filter((s) => s !== mine);
          reject(signal.reason as Error);
        };
        const wake = (): void => {
          signal.removeEventListener('abort', aborted);
          resolve();
        };
        const mine = { atMs: nowMs + ms + lateMs(), wake };
        if (signal.aborted) return reject(signal.reason as Error);
        signal.addEventListener('abort', aborted, { once: true });
        sleepers.push(mine);
      }),
    async runUntil(untilMs) {
      await quiet();
      while (nextAlarm() <= untilMs) {
        wakeAt(nextAlarm());
        await quiet();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
    async finish(work) {
      let over = false;
      const settled = work.finally(() => {
        over = true;
      });
      settled.catch(() => undefined);
      for (let idle = 0; !over; idle++) {
        await quiet();
        if (idle > MAX_IDLE) throw new Error('nothing can happen any more, and the work is not done');
        if (over || sleepers.length === 0) continue;
        wakeAt(nextAlarm());
        idle = 0;
      }
      return settled;
    },
  };
};
