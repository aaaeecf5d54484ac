import type { Child } from '../../children/child.ts';
import type { DriverDeps } from '../registry.ts';
import type { Commands } from './commands.ts';
import { textOf } from './errors.ts';

/**
 * The copying of moves, each by a child, which ends with the job that wants it: an agent that has lost its lease writes nothing more.
 * One that died, with its agent or alone, is begun again and goes on from where it was, as soon as the cluster no longer takes the
 * dead one for alive.
 */
export interface Executions {
  /** Begins it, unless it is under way; from now on it ends with this signal. */
  ensure(name: string, destination: string, signal: AbortSignal): Promise<void>;
  /** Undefined when there is none, or it has ended well. */
  of(name: string): Execution | undefined;
  /** Resolves when its process is gone, which it is left to do by itself for so long. */
  ended(name: string, withinMs: number, signal: AbortSignal): Promise<void>;
  /** Resolves when its process is gone. */
  stop(name: string): Promise<void>;
}

export interface Execution {
  /** Null before the first word of it. */
  readonly percent: number | null;
  readonly movedAtMs: number;
  /** Why it has ended without success. */
  readonly failure?: string;
}

interface Running {
  readonly state: Execution;
  readonly gone: Promise<void>;
  kill(): void;
  /** The last one counts. */
  endsWith(signal: AbortSignal): void;
  isEnding(): boolean;
}

type Deps = Pick<DriverDeps, 'monotonicMs' | 'sleep'> & { readonly commands: Commands };

const endingWith = (child: Child) => {
  let current: AbortSignal | undefined;
  const kill = (): void => {
    if (child.isRunning()) child.signal('SIGKILL');
  };
  const leave = (): void => current?.removeEventListener('abort', kill);
  return {
    kill,
    leave,
    isEnding: () => current?.aborted === true,
    endsWith: (signal: AbortSignal): void => {
      leave();
      current = signal;
      if (signal.aborted) kill();
      else signal.addEventListener('abort', kill, { once: true });
    },
  };
};

export const executionsOf = ({ commands, monotonicMs, sleep }: Deps): Executions => {
  const all = new Map<string, Running>();

  const begin = async (name: string, destination: string): Promise<Running> => {
    let state: Execution = { percent: null, movedAtMs: monotonicMs() };
    const child = await commands.start(['migration', 'execute', destination], (percent) => {
      if (percent !== state.percent) state = { percent, movedAtMs: monotonicMs() };
    });
    const ending = endingWith(child);
    const gone = child.ended
      .then(
        (end) => {
          if (end.exitCode === 0) all.delete(name);
          else state = { ...state, failure: textOf(end) || `it was ended by ${end.signal ?? 'itself'}` };
        },
        (error: Error) => {
          state = { ...state, failure: error.message };
        },
      )
      .finally(ending.leave);
    const running: Running = {
      gone,
      ...ending,
      get state() {
        return state;
      },
    };
    all.set(name, running);
    return running;
  };

  const stop = async (name: string): Promise<void> => {
    const there = all.get(name);
    if (!there) return;
    there.kill();
    await there.gone;
    all.delete(name);
  };

  return {
    async ensure(name, destination, signal) {
      signal.throwIfAborted();
      const before = all.get(name);
      if (before?.isEnding()) await before.gone;
      const running = before && before.state.failure === undefined ? before : await begin(name, destination);
      running.endsWith(signal);
    },
    of: (name) => all.get(name)?.state,
    async ended(name, withinMs, signal) {
      const there = all.get(name);
      if (!there) return;
      const over = new AbortController();
      const patience = sleep(withinMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
      await Promise.race([there.gone, patience]);
      over.abort();
      await stop(name);
      signal.throwIfAborted();
    },
    stop,
  };
};
