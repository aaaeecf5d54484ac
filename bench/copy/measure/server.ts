import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, ended, start } from './launch.ts';
import { processCpuSeconds } from './usage.ts';

/** A server that runs while somebody else is measured. It says that it is ready by a file, as a pid file is written. */
export interface ServerCommand extends Command {
  readonly readyFile: string;
}

export interface RunningServer {
  readonly cpuSeconds: () => number;
  /** Ends it and resolves with what it has printed; rejects when it ended badly. */
  stop(): Promise<string>;
}

const POLL_MS = 5;
const READY_MS = 10_000;

const isReady = async (file: string): Promise<boolean> => {
  try {
    return (await readFile(file, 'utf8')) !== '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
};

export const startServer = async (command: ServerCommand, signal: AbortSignal): Promise<RunningServer> => {
  signal.throwIfAborted();
  await rm(command.readyFile, { force: true });
  const child = start(command, signal);
  const over = ended(child);
  let isOver = false;
  const outcome = over.finally(() => {
    isOver = true;
  });
  // whoever asks hears of it; nobody may be asking yet
  outcome.catch(() => undefined);
  const stop = async (): Promise<string> => {
    child.kill();
    const { code, by, stdout, stderr } = await outcome;
    signal.throwIfAborted();
    if (code !== 0 && by !== 'SIGTERM')
      throw new Error(`${command.argv[0]} ended with ${by ?? code}: ${stderr.trim()}`);
    return stdout;
  };
  const giveUpMs = performance.now() + READY_MS;
  while (!(await isReady(command.readyFile))) {
    if (isOver || performance.now() > giveUpMs) {
      child.kill();
      signal.throwIfAborted();
      throw new Error(`${command.argv[0]} did not become ready: ${(await outcome).stderr.trim()}`);
    }
    await sleep(POLL_MS);
  }
  const { pid } = child;
  if (pid === undefined) throw new TypeError('a process that is ready has a number');
  return { cpuSeconds: () => processCpuSeconds(pid), stop };
};
