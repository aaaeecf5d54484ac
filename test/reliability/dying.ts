import type { Deps } from '../../functions/shared/deps.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';
import type { Rig } from '../helpers/rig.ts';

/**
 * A process that dies at its nth act that anybody else could see: a write, a call, a message, an event. It dies without a word:
 * what it waits for never comes, and nothing that it would have done afterwards happens.
 */

export type Moment = 'before' | 'after';

export interface Mortal {
  readonly deps: Deps;
  /** Resolves when it has died. */
  readonly death: Promise<'died'>;
  readonly acts: () => number;
}

const never = <T>(): Promise<T> => new Promise(() => undefined);

/** `at` 0: it lives. */
export const mortal = (rig: Rig, at = 0, moment: Moment = 'before'): Mortal => {
  let acts = 0;
  let dead = false;
  let die: (how: 'died') => void = () => undefined;
  const death = new Promise<'died'>((resolve) => {
    die = resolve;
  });
  const end = <T>(): Promise<T> => {
    dead = true;
    die('died');
    return never();
  };
  const act =
    <A extends readonly unknown[], T>(call: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      if (dead) return never();
      acts += 1;
      const last = acts === at;
      if (last && moment === 'before') return end();
      const answer = await call(...asked);
      return last ? end() : answer;
    };
  const read =
    <A extends readonly unknown[], T>(call: (...asked: A) => Promise<T>) =>
    (...asked: A): Promise<T> =>
      dead ? never() : call(...asked);

  const { records } = rig;
  const mine: Records = {
    ...records,
    get: read((key) => records.get(key)),
    getMany: read((keys) => records.getMany(keys)),
    query: read((pk, skPrefix) => records.query(pk, skPrefix)),
    put: act((item, expectedRev) => records.put(item, expectedRev)),
    remove: act((key, expectedRev) => records.remove(key, expectedRev)),
    amend: act((key, by, writeId) => records.amend(key, by, writeId)),
  };
  const { queues, executions, tasks, notifier } = rig.deps;
  const deps: Deps = {
    ...rig.deps,
    store: createStore(mine, () => 'of this process'),
    queues: { look: act((hostId) => queues.look(hostId)) },
    executions: {
      start: act((machine, name, input) => executions.start(machine, name, input)),
      status: read((machine, name) => executions.status(machine, name)),
    },
    tasks: {
      succeed: act((token, output) => tasks.succeed(token, output)),
      fail: act((token, failure) => tasks.fail(token, failure)),
    },
    notifier: { notify: act((events) => notifier.notify(events)) },
    newId: () => '77777777-7777-4777-8777-777777777777',
  };
  return { deps, death, acts: () => acts };
};
