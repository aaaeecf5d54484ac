import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Programs of a test cluster. Each daemon dies with the test process, also when that is killed. */

const NEEDED: Readonly<Record<string, string>> = {
  'ceph-mon': 'ceph-mon',
  'ceph-mgr': 'ceph-mgr',
  'ceph-osd': 'ceph-osd',
  ceph: 'ceph-common',
  'ceph-authtool': 'ceph-common',
  monmaptool: 'ceph-common',
  rbd: 'ceph-common',
  'qemu-nbd': 'qemu-utils',
  setpriv: 'util-linux',
};
const BLOCK_MODULES = ['/usr/lib/x86_64-linux-gnu/qemu/block-rbd.so', '/usr/lib/aarch64-linux-gnu/qemu/block-rbd.so'];

const isThere = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

const onPath = async (program: string): Promise<boolean> => {
  const found = await Promise.all((process.env.PATH ?? '').split(':').map((dir) => isThere(join(dir, program))));
  return found.includes(true);
};

/** The packages that a test cluster wants and this machine has not. */
export const missingForCeph = async (): Promise<string[]> => {
  const missing = new Set<string>();
  for (const [program, from] of Object.entries(NEEDED)) if (!(await onPath(program))) missing.add(from);
  const modules = await Promise.all(BLOCK_MODULES.map(isThere));
  if (!modules.includes(true)) missing.add('qemu-block-extra');
  return [...missing];
};

const run = promisify(execFile);

/** Its standard output; rejects with what it said otherwise. */
export const tool = async (program: string, args: readonly string[], timeoutMs = 60_000): Promise<string> => {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const { stdout } = await run(program, args, { env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
};

export interface Daemon {
  readonly name: string;
  signal(name: NodeJS.Signals): void;
  end(): Promise<void>;
}

export const startDaemon = (name: string, program: string, args: readonly string[], log: string): Daemon => {
  const out = openSync(log, 'a');
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['ignore', out, out],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    name,
    signal: (signal) => void (isRunning() && child.kill(signal)),
    async end() {
      if (isRunning()) child.kill('SIGKILL');
      await ended.catch(() => undefined);
    },
  };
};
