import { type ChildProcess, spawn } from 'node:child_process';
import { volmoveError } from '../../domain/error.ts';

/** Programs that answer in a moment (reports, creates, removals). What runs for long is a Child, which dies with the agent. */
export interface Tool {
  readonly program: string;
  /** The package that brings it, for whoever has to install it. */
  readonly package: string;
  readonly args: readonly string[];
  /** Beside PATH and LC_ALL. Secrets belong here or in files, never into `args`, which every process can read. */
  readonly env?: Readonly<Record<string, string>>;
  /** For its standard input; undefined: it has none. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Killed in its middle it would leave worse behind than what it takes to its end: it is asked to end, and no more. */
  readonly neverKilled?: boolean;
}

export interface ToolEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Resolves when the program has ended, whatever its exit code. ProgramMissing; BackendTimedOut when it did not end in time: it was
 * asked to end then, and what it was to do may have happened. An abort stops the waiting in the same way. What does not end at
 * all, as when the kernel holds it, is no longer waited for: it may be at work still.
 */
export type RunTool = (tool: Tool, signal: AbortSignal) => Promise<ToolEnd>;

/** Calls back once, unless it is called off before. */
export type After = (ms: number, act: () => void) => () => void;

const TIMEOUT_MS = 60_000;
/** From being asked to end until it is killed, and for what it left to others: its outputs, which they may hold open. */
const GRACE_MS = 5_000;
/** From being killed until nobody waits for it any more. */
const LAST_GRACE_MS = 1_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

const afterReally: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** What a program writes to its outputs, as far as it is kept. */
const listen = (child: ChildProcess): { stdout: string; stderr: string } => {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      if (said[name].length < MOST_OUTPUT_BYTES) said[name] += text;
    });
  return said;
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** Whatever becomes of it: nothing of this process hears of it or is kept by it any more. */
const letGo = (child: ChildProcess): void => {
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
  child.unref();
};

/** Asked to end, then killed, then let go. Returns how to call the rest of that off. */
const endInSteps = (child: ChildProcess, neverKilled: boolean, after: After, onGivenUp: () => void): (() => void) => {
  child.kill('SIGTERM');
  let callOff = after(GRACE_MS, () => {
    if (neverKilled) onGivenUp();
    else {
      child.kill('SIGKILL');
      callOff = after(LAST_GRACE_MS, onGivenUp);
    }
  });
  return () => callOff();
};

export const createRunTool =
  (path: string, after: After = afterReally): RunTool =>
  ({ program, package: from, args, env = {}, input, timeoutMs = TIMEOUT_MS, neverKilled = false }, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = spawn(program, args, {
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        // its messages are read: in no other language than C's
        env: { PATH: path, LC_ALL: 'C', ...env },
      });
      const said = listen(child);
      let why: Error | undefined;
      let isOver = false;
      const callOffs: (() => void)[] = [];
      const over = (): void => {
        isOver = true;
        for (const callOff of callOffs) callOff();
        signal.removeEventListener('abort', onAbort);
      };
      const settle = (exitCode: number | null): void => {
        over();
        if (why) reject(why);
        else resolve({ exitCode, ...said });
      };
      const giveUp = (): void => {
        // what is in its pipes by now is read first
        setImmediate(() => {
          settle(child.exitCode);
          letGo(child);
        });
      };
      const end = (reason: Error): void => {
        if (hasEnded(child)) giveUp();
        else if (!why) {
          why = reason;
          callOffs.push(endInSteps(child, neverKilled, after, giveUp));
        }
      };
      const onAbort = (): void => end(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      callOffs.push(
        after(timeoutMs, () => end(volmoveError('BackendTimedOut', { program, seconds: Math.ceil(timeoutMs / 1000) }))),
      );
      child.once('error', (error: NodeJS.ErrnoException) => {
        over();
        const missing = error.code === 'ENOENT' || error.code === 'EACCES';
        reject(missing ? volmoveError('ProgramMissing', { program, package: from }, { cause: error }) : error);
      });
      // others may hold its outputs open: what it wrote itself is in them already
      child.once('exit', () => {
        if (!isOver) callOffs.push(after(GRACE_MS, giveUp));
      });
      child.once('close', settle);
      // one that ends before it has read everything: its exit code tells more
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
