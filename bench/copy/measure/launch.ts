import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { childrenCpuSeconds } from './usage.ts';

/** Runs programs. An abort ends them, and nothing here resolves before they have ended. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It says `ready` in its first line and begins when its stdin ends, as an agent waits for work: the clock runs from there. */
  readonly standsBy?: boolean;
}

export interface Ran {
  readonly seconds: number;
  /** User and system, of the process and of the children it waited for. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

const SHOWN_OF_STDERR = 400;

/** Its stdin stays open as long as this process lives: a server of ours ends when that does. */
export const start = ({ argv, env }: Command, signal: AbortSignal): ChildProcess => {
  const [program = '', ...args] = argv;
  return spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'], signal });
};

interface Ended {
  readonly code: number | null;
  readonly by: NodeJS.Signals | null;
  readonly atMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when it has ended and its output is whole; rejects when it could not be started. */
export const ended = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    let atMs = 0;
    child.stdout?.on('data', (part: Buffer) => {
      stdout += part.toString();
    });
    child.stderr?.on('data', (part: Buffer) => {
      stderr = (stderr + part.toString()).slice(-SHOWN_OF_STDERR);
    });
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => {
      if (child.pid === undefined) reject(error);
    });
    child.on('exit', () => {
      atMs = performance.now();
    });
    child.on('close', (code, by) => resolve({ code, by, atMs, stdout, stderr }));
  });

const READY = 'ready\n';

/** Resolves when it is ready, or has ended before. */
const untilReady = async (child: ChildProcess, over: Promise<unknown>): Promise<void> => {
  const ready = new Promise<void>((resolve) => {
    child.stdout?.once('data', () => resolve());
  });
  await Promise.race([ready, over]);
};

export const run = async (command: Command, signal: AbortSignal): Promise<Ran> => {
  signal.throwIfAborted();
  const cpuBefore = childrenCpuSeconds();
  const startedMs = performance.now();
  const child = start(command, signal);
  const over = ended(child);
  if (command.standsBy) await untilReady(child, over);
  const beganMs = command.standsBy ? performance.now() : startedMs;
  child.stdin?.end();
  const { code, by, atMs, stdout, stderr } = await over;
  signal.throwIfAborted();
  if (code !== 0)
    throw new Error(`${command.argv[0]} ended with ${by ?? code}: ${stderr.trim().replaceAll('\n', ' / ')}`);
  return {
    seconds: (atMs - beganMs) / 1000,
    cpuSeconds: childrenCpuSeconds() - cpuBefore,
    stdout: stdout.replace(READY, ''),
  };
};
