import { type VolmoveError, volmoveError } from '../../domain/error.ts';
import { CHUNK_BYTES } from '../digest/tree-hash.ts';
import type { Measured } from './context.ts';

/**
 * Notices that nothing moves, by the monotonic clock: a wall clock that is set must neither fail a copy nor hide a hang. A pause is
 * no stall once everything has settled, nor is a wait for a place after it; a pause that never settles is.
 */
export interface StallWatch {
  saw(measured: Measured): void;
  /** How long nothing has moved; undefined unless that is too long. */
  stalledForMs(): number | undefined;
  /** Milliseconds until there is something new to say if nothing moves; Infinity: never. */
  dueInMs(): number;
  /** There is. */
  isDue(): boolean;
  /** Why the job must not go on. */
  failure(): VolmoveError | undefined;
}

export interface StallDeps {
  readonly monotonicMs: () => number;
  readonly stallAfterSeconds: number;
  /** Null: a stall fails nothing. */
  readonly stallFailAfterSeconds: number | null;
  /** Of the job; what has to wait for so slow a limit does not stand still. */
  readonly bandwidthBytesPerSecond: () => number | null;
}

export const createStallWatch = (deps: StallDeps): StallWatch => {
  let last: Measured | undefined;
  /** Of this attempt: one that begins from zero moves long before it is past what was shown. */
  let mostSettled = -1;
  let movedAtMs = deps.monotonicMs();

  const hasMoved = (now: Measured): boolean =>
    now.settledBytes > mostSettled ||
    now.activity !== last?.activity ||
    now.zeroing?.doneBytes !== last?.zeroing?.doneBytes;
  const isHeld = (): boolean => last?.activity === 'paused' || last?.activity === 'queued';
  const quietMs = (): number => (last && !isHeld() ? deps.monotonicMs() - movedAtMs : 0);
  /** The low-water mark moves by whole chunks, each of which takes its time. */
  const patienceMs = (seconds: number): number => {
    const limit = deps.bandwidthBytesPerSecond();
    return (seconds + (limit === null ? 0 : CHUNK_BYTES / limit)) * 1000;
  };
  const failAfterMs = (): number =>
    deps.stallFailAfterSeconds === null ? Number.POSITIVE_INFINITY : patienceMs(deps.stallFailAfterSeconds);

  return {
    saw(measured) {
      if (hasMoved(measured)) movedAtMs = deps.monotonicMs();
      mostSettled = Math.max(mostSettled, measured.settledBytes);
      last = measured;
    },
    stalledForMs: () => (quietMs() >= patienceMs(deps.stallAfterSeconds) ? quietMs() : undefined),
    isDue: () => quietMs() >= Math.min(patienceMs(deps.stallAfterSeconds), failAfterMs()),
    dueInMs() {
      // the end of a pause is seen; the first measure is not waited for
      if (isHeld()) return Number.POSITIVE_INFINITY;
      const quiet = quietMs();
      const ahead = [patienceMs(deps.stallAfterSeconds), failAfterMs()].filter((ms) => ms > quiet);
      return Math.min(Number.POSITIVE_INFINITY, ...ahead) - quiet;
    },
    failure() {
      const quiet = quietMs();
      return quiet > 0 && quiet >= failAfterMs()
        ? volmoveError('Stalled', { seconds: Math.round(quiet / 1000) })
        : undefined;
    },
  };
};
