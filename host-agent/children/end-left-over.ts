import type { ChildJournal, ChildRecord } from '../journal/children.ts';
import { isRunning } from './process-identity.ts';

/**
 * What an earlier agent of this data directory has started dies with it (child.ts); this makes sure of that before anything
 * else may write: each recorded process that still runs is killed, and waited for as long as its last I/O takes.
 */
export interface LeftOverDeps {
  readonly journal: ChildJournal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Hears of each that is found. */
  readonly onProblem: (what: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 50;

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const end = async (child: ChildRecord, { journal, sleep, onProblem, signal }: LeftOverDeps): Promise<void> => {
  for (let first = true; await isRunning(child); first = false) {
    if (first)
      onProblem('a process of the agent before', new Error(`${child.program}, process ${child.pid}, still ran`));
    kill(child.pid);
    await sleep(LOOK_EVERY_MS, signal);
  }
  await journal.forget(child);
};

/** Rejects with the signal's reason when that comes first. */
export const endLeftOver = async (deps: LeftOverDeps): Promise<void> => {
  for (const child of await deps.journal.all()) await end(child, deps);
};
