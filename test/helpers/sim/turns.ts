/**
 * Turns: every read, write and call of every thread waits here until the scheduler lets it go on. So a thread can be frozen
 * between any two of them, die at any of them, or have the answer to any of them lost.
 */

export type ThreadKind = 'api' | 'guest' | 'lambda' | 'upkeep' | 'engine' | 'agent';

export interface Thread {
  readonly name: string;
  readonly kind: ThreadKind;
  /** The host of an agent's thread; null for all others. */
  readonly hostId: string | null;
  alive: boolean;
  /** How often it gets a turn, against 1 of the others. */
  weight: number;
  /** Called once when the thread dies: nobody will ever hear of it again. */
  onDeath: () => void;
}

/**
 * What happens to one turn. `answer lost`: it took effect, and whoever asked has to ask again; `error after`: it took effect, and
 * whoever asked is told that it failed; `error before`: it has failed.
 */
export type Fault = 'none' | 'dies before' | 'dies after' | 'answer lost' | 'error before' | 'error after';

/** A service that did not answer, as its client reports it after its own tries. */
export class Outage extends Error {
  override readonly name = 'ServiceUnavailable';
}

export interface Turn {
  readonly thread: Thread;
  readonly label: string;
  /** Only what changes something can lose its answer. */
  readonly changes: boolean;
  /** Bytes that are on the network already arrive although their sender has died. */
  readonly onTheNetwork: boolean;
  readonly take: (fault: Fault) => void;
}

export interface Turns {
  readonly pending: () => readonly Turn[];
  readonly newThread: (name: string, kind: ThreadKind, hostId?: string) => Thread;
  readonly threads: () => readonly Thread[];
  /** Waits for its turn, then acts. */
  readonly turn: <T>(thread: Thread, label: string, act: () => T | Promise<T>, options?: TurnOptions<T>) => Promise<T>;
  readonly kill: (thread: Thread) => void;
  /** Called with each turn that takes effect, just before it does. */
  readonly watch: (watcher: (turn: Turn) => void) => void;
  /** Takes one turn and lets everything that follows from it happen, up to the next turns. */
  readonly take: (turn: Turn, fault: Fault) => Promise<void>;
}

export interface TurnOptions<T> {
  /** What the second asking brings when the answer to the first was lost; it is a turn of its own. */
  readonly again?: () => T | Promise<T>;
  readonly onTheNetwork?: boolean;
}

/** Everything that can happen without another turn has happened when this resolves. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const createTurns = (): Turns => {
  const pending = new Set<Turn>();
  const threads: Thread[] = [];
  const watchers: ((turn: Turn) => void)[] = [];

  const wait = <T>(
    thread: Thread,
    label: string,
    act: () => T | Promise<T>,
    { again, onTheNetwork = false }: TurnOptions<T>,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      if (!thread.alive) return;
      const take = (fault: Fault): void => {
        if (fault === 'dies before') {
          kill(thread);
          return;
        }
        if (fault === 'error before') {
          reject(new Outage(label));
          return;
        }
        const done = (async () => act())();
        if (fault === 'error after') {
          done.finally(() => reject(new Outage(label))).catch(() => undefined);
          return;
        }
        // nobody may be there to hear that it failed
        done.catch(() => undefined);
        if (fault === 'dies after') kill(thread);
        const heard = fault === 'answer lost' && again ? wait(thread, `${label}, asked again`, again, {}) : done;
        heard.then(
          (value) => thread.alive && resolve(value),
          (error: unknown) => thread.alive && reject(error),
        );
      };
      pending.add({ thread, label, changes: again !== undefined, onTheNetwork, take });
    });

  const kill = (thread: Thread): void => {
    if (!thread.alive) return;
    thread.alive = false;
    for (const turn of pending) if (turn.thread === thread && !turn.onTheNetwork) pending.delete(turn);
    thread.onDeath();
  };

  return {
    pending: () => [...pending],
    threads: () => threads,
    newThread(name, kind, hostId) {
      const thread = { name, kind, hostId: hostId ?? null, alive: true, weight: 1, onDeath: () => undefined };
      threads.push(thread);
      return thread;
    },
    turn: (thread, label, act, options = {}) => wait(thread, label, act, options),
    kill,
    watch: (watcher) => void watchers.push(watcher),
    async take(turn, fault) {
      pending.delete(turn);
      if (fault !== 'dies before' && fault !== 'error before') for (const watcher of watchers) watcher(turn);
      turn.take(fault);
      await quiet();
    },
  };
};
