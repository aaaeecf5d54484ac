import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobKind } from '../../../../domain/job/job.ts';
import type { Thread, TurnOptions, Turns } from '../turns.ts';

/**
 * Whose turn it is, wherever in an agent's code we are: parts that all jobs share (a journal, a driver, the exports) take their
 * turns as the job, or the connection, that has called them.
 */
export interface Actor {
  readonly thread: Thread;
  /** Of the job that acts; null for everything else. */
  readonly kind: JobKind | null;
}

export interface Actors {
  readonly as: <T>(actor: Actor, act: () => T) => T;
  readonly now: () => Actor;
  readonly turn: <T>(label: string, act: () => T | Promise<T>, options?: TurnOptions<T>) => Promise<T>;
}

const acting = new AsyncLocalStorage<Actor>();

export const createActors = (turns: Turns): Actors => {
  const now = (): Actor => {
    const actor = acting.getStore();
    if (!actor) throw new Error('Nobody acts here.');
    return actor;
  };
  return {
    as: (actor, act) => acting.run(actor, act),
    now,
    turn: (label, act, options) => turns.turn(now().thread, label, act, options),
  };
};
