import type { Child } from '../../children/child.ts';
import type { Commands } from './commands.ts';
import { textOf } from './errors.ts';

/**
 * The copying of moves, each by a child. One that died, with its agent or alone, is begun again and goes on from where it was, as soon
 * as the cluster no longer takes the dead one for alive.
 */
export interface Executions {
  /** Begins it, unless it is under way. */
  ensure(destination: string): Promise<void>;
  of(destination: string): Execution | undefined;
  /** Resolves when its process is gone. */
  stop(destination: string): Promise<void>;
}

export interface Execution {
  /** Null before the first word of it. */
  readonly percent: number | null;
  readonly movedAtMs: number;
  /** Why it has ended without success. */
  readonly failure?: string;
}

interface Running {
  readonly child: Child;
  state: Execution;
  readonly gone: Promise<void>;
}

export const executionsOf = (commands: Commands, monotonicMs: () => number): Executions => {
  const all = new Map<string, Running>();

  const begin = async (destination: string): Promise<void> => {
    let state: Execution = { percent: null, movedAtMs: monotonicMs() };
    const child = await commands.start(['migration', 'execute', destination], (percent) => {
      if (percent !== state.percent) state = { percent, movedAtMs: monotonicMs() };
    });
    const gone = child.ended.then(
      (end) => {
        if (end.exitCode === 0) all.delete(destination);
        else state = { ...state, failure: textOf(end) || `it was ended by ${end.signal ?? 'itself'}` };
      },
      (error: Error) => {
        state = { ...state, failure: error.message };
      },
    );
    all.set(destination, {
      child,
      gone,
      get state() {
        return state;
      },
    });
  };

  return {
    async ensure(destination) {
      const there = all.get(destination);
      if (there && there.state.failure === undefined) return;
      await begin(destination);
    },
    of: (destination) => all.get(destination)?.state,
    async stop(destination) {
      const there = all.get(destination);
      if (!there) return;
      there.child.signal('SIGKILL');
      await there.gone;
      all.delete(destination);
    },
  };
};
