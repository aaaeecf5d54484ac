import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { childrenCpuSeconds } from './usage.ts';

/** Runs programs. An abort ends them, and nothing here resolves before they have ended. */
export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
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

export const run = async (command: Command, signal: AbortSignal): Promise<Ran> => {
  signal.throwIfAborted();
  const cpuBefore = childrenCpuSeconds();
  const beganMs = performance.now();
  const child = start(command, signal);
  child.stdin?.end();
  const { code, by, atMs, stdout, stderr } = await ended(child);
  signal.throwIfAborted();
  if (code !== 0)
    throw new Error(`${command.argv[0]} ended with ${by ?? code}: ${stderr.trim().replaceAll('\n', ' / ')}`);
  return { seconds: (atMs - beganMs) / 1000, cpuSeconds: childrenCpuSeconds() - cpuBefore, stdout };
};
