import { spawn } from 'node:child_process';
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
}

export interface ToolEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Resolves when the program has ended, whatever its exit code. ProgramMissing; BackendTimedOut when it did not end in time: it was
 * asked to end then, and what it was to do may have happened. An abort stops the waiting in the same way.
 */
export type RunTool = (tool: Tool, signal: AbortSignal) => Promise<ToolEnd>;

const TIMEOUT_MS = 60_000;
/** From being asked to end until it is killed. */
const GRACE_MS = 5_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

export const createRunTool =
  (path: string): RunTool =>
  ({ program, package: from, args, env = {}, input, timeoutMs = TIMEOUT_MS }, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = spawn(program, args, {
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        // its messages are read: in no other language than C's
        env: { PATH: path, LC_ALL: 'C', ...env },
      });
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name]?.setEncoding('utf8').on('data', (text: string) => {
          if (said[name].length < MOST_OUTPUT_BYTES) said[name] += text;
        });
      let why: Error | undefined;
      let kill: NodeJS.Timeout | undefined;
      const end = (reason: Error): void => {
        why ??= reason;
        child.kill('SIGTERM');
        kill ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      };
      const onAbort = (): void => end(signal.reason as Error);
      const deadline = setTimeout(
        () => end(volmoveError('BackendTimedOut', { program, seconds: Math.ceil(timeoutMs / 1000) })),
        timeoutMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      const settled = (): void => {
        clearTimeout(deadline);
        clearTimeout(kill);
        signal.removeEventListener('abort', onAbort);
      };
      child.once('error', (error: NodeJS.ErrnoException) => {
        settled();
        const missing = error.code === 'ENOENT' || error.code === 'EACCES';
        reject(missing ? volmoveError('ProgramMissing', { program, package: from }, { cause: error }) : error);
      });
      child.once('close', (exitCode) => {
        settled();
        if (why) reject(why);
        else resolve({ exitCode, ...said });
      });
      // one that ends before it has read everything: its exit code tells more
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
