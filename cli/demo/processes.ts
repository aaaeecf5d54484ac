import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../local/package-root.ts';

/** The demo's processes: an embedded cloud and agents, started as an administrator would, their output in files. */
export interface Started {
  readonly name: string;
  readonly logPath: string;
  /** The first line that it printed. */
  readonly line: string;
  stop(): Promise<void>;
}

const LAUNCHER = join(PACKAGE_ROOT, 'cli', 'volmove.js');
const READY_MS = 30_000;
const STOP_MS = 10_000;

export interface Launch {
  readonly name: string;
  readonly args: readonly string[];
  readonly logPath: string;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Resolves when the process has said that it is up. */
export const launch = async ({ name, args, logPath, sleep }: Launch): Promise<Started> => {
  const log = openSync(logPath, 'w');
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ['ignore', log, log] });
  for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += 50) {
    const text = await readFile(logPath, 'utf8');
    const line = text.split('\n').find((l) => l.includes(' is up'));
    if (line) return { name, logPath, line, stop: () => stop(child, sleep) };
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}:\n${text}`);
    await sleep(50);
  }
  await stop(child, sleep);
  throw new Error(`${name} was not up after ${READY_MS / 1000} s; see ${logPath}`);
};

const stop = async (child: ChildProcess, sleep: (ms: number) => Promise<void>): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(STOP_MS).then(() => child.kill('SIGKILL'))]);
  await ended;
};
