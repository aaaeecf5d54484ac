import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { volmoveError } from '../../domain/error.ts';
import type { ChildJournal } from '../journal/children.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';

/**
 * Programs that the agent runs. Each dies with the agent: the kernel kills it (prctl(2), PR_SET_PDEATHSIG), also when the
 * agent was killed. It is on disk before it may do anything, so that the next agent can make sure.
 */
export interface Command {
  readonly program: string;
  /** The package that brings it, for whoever has to install it. */
  readonly package: string;
  readonly args: readonly string[];
  /** Beside PATH and LC_ALL. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hears what it writes to its standard error as it comes, in pieces of any size. */
  readonly onStderr?: (text: string) => void;
}

export interface Child {
  readonly pid: number;
  /** Lets it begin. */
  go(): void;
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** False from the moment on that its number may be another's. */
  isRunning(): boolean;
  /** Resolves when it has ended and holds nothing open any more. ProgramMissing when it could not be run. */
  readonly ended: Promise<ChildEnd>;
}

export interface ChildEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last of it. */
  readonly stderr: string;
}

export interface Children {
  /** It waits for `go` before it runs the program. */
  start(command: Command): Promise<Child>;
}

export interface ChildrenDeps {
  readonly journal: ChildJournal;
  /** Where programs are looked for, as in PATH. */
  readonly path: string;
}

type Process = ChildProcessByStdio<Writable, null, Readable>;

const SETPRIV = { program: 'setpriv', package: 'util-linux' };
/** What a shell answers for a program that is not there. */
const NOT_FOUND = 127;
const STDERR_BYTES = 8_192;
/**
 * Reads a line before it becomes the program, keeping its number; an agent that dies first leaves only an end of file. What asks
 * a whole terminal or service to stop is the agent's to answer: the program would only seem to fail.
 */
const GATE = `trap '' HUP INT TERM; command -v "$1" >/dev/null || exit ${NOT_FOUND}; read -r go && exec "$@"`;

const startProcess = async ({ program, args, env = {} }: Command, path: string): Promise<Process> => {
  const child = spawn(SETPRIV.program, ['--pdeathsig', 'KILL', 'sh', '-c', GATE, 'sh', program, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // its messages are read: in no other language than C's
    env: { PATH: path, LC_ALL: 'C', ...env },
  });
  // what is written to one that has ended already: its end tells more
  child.stdin.on('error', () => undefined);
  try {
    await once(child, 'spawn');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw volmoveError('ProgramMissing', SETPRIV, { cause: error });
  }
  return child;
};

const endOf = (child: Process, { onStderr }: Command): Promise<ChildEnd> => {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
    onStderr?.(text);
  });
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stderr }));
  });
};

export const createChildren = ({ journal, path }: ChildrenDeps): Children => ({
  async start(command) {
    const child = await startProcess(command, path);
    const pid = child.pid as number;
    const ended = endOf(child, command);
    let identity: ProcessIdentity | undefined;
    try {
      identity = await identityOf(pid);
      // without one it has ended already
      if (identity) await journal.put({ ...identity, program: command.program });
    } catch (error) {
      child.kill('SIGKILL');
      await ended;
      throw error;
    }
    return {
      pid,
      go: () => void child.stdin.end('\n'),
      signal: (name) => void child.kill(name),
      isRunning: () => child.exitCode === null && child.signalCode === null,
      ended: ended.then(async (end) => {
        if (identity) await journal.forget(identity);
        if (end.exitCode === NOT_FOUND) throw volmoveError('ProgramMissing', command);
        return end;
      }),
    };
  },
});
