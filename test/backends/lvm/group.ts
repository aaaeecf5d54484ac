import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** Real volume groups on the guest's disks, each of one test. */

const run = promisify(execFile);
const ENVIRONMENT = { ...process.env, LC_ALL: 'C', LVM_SUPPRESS_FD_WARNINGS: '1' };

/** The answer of a program that must succeed. */
export const sh = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await run(program, args, { env: ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 })).stdout;

export const attempt = (program: string, ...args: readonly string[]): Promise<string | undefined> =>
  sh(program, ...args).catch(() => undefined);

const PATIENCE_MS = 60_000;

/** Waits for what comes by itself, however slow the machine is. */
export const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const untilMs = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > untilMs) throw new Error(`${what}: it has not come`);
    await sleep(50);
  }
};

export const DISKS = ['/dev/ubdb', '/dev/ubdc'] as const;
let groups = 0;

export const freshName = (): string => {
  groups += 1;
  return `vt${process.pid}_${groups}`;
};

export interface Group {
  rename(name: string): Promise<void>;
}

/** Gone with all that is in it when the test is over, under whichever name. */
export const makeGroup = async (name: string, disk: string, ...options: readonly string[]): Promise<Group> => {
  await sh('vgcreate', '-y', '-s', '1M', ...options, name, disk);
  let now = name;
  // what has ended may have a device open for a moment more
  onTestFinished(() =>
    until('the group can be removed', async () => (await attempt('vgremove', '-ff', '-y', now)) !== undefined),
  );
  return {
    async rename(next) {
      await sh('vgrename', now, next);
      now = next;
    },
  };
};

export interface PoolSizes {
  readonly dataMib?: number;
  readonly options?: readonly string[];
}

export const makeThinPool = (
  vg: string,
  name: string,
  { dataMib = 200, options = [] }: PoolSizes = {},
): Promise<string> => sh('lvcreate', '-y', '-L', `${dataMib}M`, ...options, '-T', `${vg}/${name}`);

export const lvs = async (vg: string, ...fields: readonly string[]): Promise<string[][]> =>
  (await sh('lvs', '--noheadings', '--separator', '|', '--units', 'b', '--nosuffix', '-o', fields.join(','), vg))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split('|'));
