import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterConf } from './conf.ts';
import { type Daemon, missingForCeph, startDaemon, tool } from './daemons.ts';

/** A real Ceph of this machine's own, with cephx, in a scratch directory; several can stand side by side. */
export interface Cluster {
  readonly dir: string;
  readonly conf: string;
  readonly fsid: string;
  readonly monPort: number;
  /** As client.admin; resolves with the standard output. */
  ceph(...args: string[]): Promise<string>;
  rbd(...args: string[]): Promise<string>;
  /** Resolves when the cluster has counted it, too. */
  makePool(name: string): Promise<void>;
  removePool(name: string): Promise<void>;
  /** A user, and where its keyring is. */
  client(id: string, caps: { readonly mon: string; readonly osd: string }): Promise<string>;
  /** Nothing answers any more, and no connection is closed. */
  freeze(which?: 'osd.0' | 'mgr.x'): void;
  thaw(): void;
  /** The manager, without which nobody counts, is gone. */
  endManager(): Promise<void>;
  down(): Promise<void>;
}

export interface ClusterWishes {
  readonly modes?: 'crc secure' | 'crc';
  readonly sizeBytes?: number;
  /** After so long a client that has died is taken for dead; 30 when left out. */
  readonly watchTimeoutSeconds?: number;
}

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Two suites at a time on two cores are slow, not broken: this is what no machine needs. */
const LONG_MS = 150_000;

const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + LONG_MS;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`The test cluster has no ${what} after ${LONG_MS / 1000} s.`);
    await sleep(100);
  }
};

/** A pool is there before it is counted. */
const isCounted = async (ceph: Cluster['ceph'], name: string): Promise<boolean> => {
  const { pools } = JSON.parse(await ceph('df', '--format', 'json')) as { pools: { name: string }[] };
  return pools.some((pool) => pool.name === name);
};

const ALL = ['mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *', 'mds', 'allow *'];
const capsOf = (pairs: readonly string[]): string[] =>
  pairs.flatMap((text, i) => (i % 2 === 0 ? ['--cap', text, pairs[i + 1] as string] : []));
const makeKey = (file: string, name: string, caps: readonly string[]): Promise<string> =>
  tool('ceph-authtool', ['--create-keyring', file, '--gen-key', '-n', name, ...capsOf(caps)]);

const MGR_CAPS = ['mon', 'allow profile mgr', 'osd', 'allow *', 'mds', 'allow *'];

const makeKeys = async (dir: string): Promise<void> => {
  await Promise.all([
    makeKey(join(dir, 'mon.keyring'), 'mon.', ['mon', 'allow *']),
    makeKey(join(dir, 'admin.keyring'), 'client.admin', ALL),
    makeKey(join(dir, 'mgr.keyring'), 'mgr.x', MGR_CAPS),
    makeKey(join(dir, 'osd.keyring'), 'osd.0', [
      'mon',
      'allow profile osd',
      'osd',
      'allow *',
      'mgr',
      'allow profile osd',
    ]),
  ]);
  for (const name of ['admin', 'mgr', 'osd'])
    await tool('ceph-authtool', [join(dir, 'mon.keyring'), '--import-keyring', join(dir, `${name}.keyring`)]);
};

const GIB = 1024 ** 3;

const startAll = async (dir: string, wishes: ClusterWishes, daemons: Map<string, Daemon>) => {
  const { modes = 'crc secure', sizeBytes = 4 * GIB, watchTimeoutSeconds = 30 } = wishes;
  const [fsid, monPort, conf] = [randomUUID(), await freePort(), join(dir, 'ceph.conf')];
  await Promise.all(['mon', 'mgr', 'osd'].map((name) => mkdir(join(dir, name))));
  await writeFile(conf, clusterConf({ dir, fsid, monPort, modes, sizeBytes, watchTimeoutSeconds }));
  await makeKeys(dir);
  const monmap = join(dir, 'monmap');
  await tool('monmaptool', ['--create', '--addv', 'a', `[v2:127.0.0.1:${monPort}]`, '--fsid', fsid, monmap]);
  const withConf = ['--conf', conf];
  const start = (name: string, program: string, id: string): void => {
    daemons.set(name, startDaemon(name, program, ['-f', ...withConf, '-i', id], join(dir, `${name}.out`)));
  };
  await tool('ceph-mon', [...withConf, '-i', 'a', '--mkfs', '--monmap', monmap, '--keyring', join(dir, 'mon.keyring')]);
  start('mon.a', 'ceph-mon', 'a');
  const osdId = randomUUID();
  const ceph = (...args: string[]): Promise<string> => tool('ceph', [...withConf, '--connect-timeout', '30', ...args]);
  await truncate(join(dir, 'osd.block'), 0).catch(() => writeFile(join(dir, 'osd.block'), ''));
  await truncate(join(dir, 'osd.block'), sizeBytes);
  const [, made] = await Promise.all([
    ceph('osd', 'new', osdId),
    tool('ceph-osd', [...withConf, '-i', '0', '--mkfs', '--osd-uuid', osdId, '--no-mon-config']),
  ]);
  void made;
  start('mgr.x', 'ceph-mgr', 'x');
  start('osd.0', 'ceph-osd', '0');
  await until('OSD', async () => (await ceph('osd', 'stat', '-f', 'json')).includes('"num_up_osds":1'));
  await until('manager', async () => (await ceph('mgr', 'stat', '-f', 'json')).includes('"available":true'));
  return { fsid, monPort, conf, ceph };
};

/** Rejects with the names of the packages when something is missing. */
export const clusterUp = async (wishes: ClusterWishes = {}): Promise<Cluster> => {
  const missing = await missingForCeph();
  if (missing.length > 0) throw new Error(`A test cluster needs these packages: ${missing.join(' ')}`);
  const dir = await mkdtemp(join(tmpdir(), 'volmove-ceph-'));
  const daemons = new Map<string, Daemon>();
  const down = async (): Promise<void> => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.end()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const { ceph, ...rest } = await startAll(dir, wishes, daemons);
    const signal = (name: NodeJS.Signals, which?: string): void => {
      for (const daemon of daemons.values()) if (which === undefined || daemon.name === which) daemon.signal(name);
    };
    const rbd = (...args: string[]): Promise<string> => tool('rbd', ['--conf', rest.conf, ...args]);
    return {
      dir,
      ...rest,
      ceph,
      rbd,
      async makePool(name) {
        await ceph('osd', 'pool', 'create', name, '1');
        await rbd('pool', 'init', name);
        await until(`figures of the pool ${name}`, () => isCounted(ceph, name));
      },
      async removePool(name) {
        await ceph('osd', 'pool', 'delete', name, name, '--yes-i-really-really-mean-it');
      },
      async client(id, { mon, osd }) {
        const keyring = join(dir, `${id}.keyring`);
        await ceph('auth', 'get-or-create', `client.${id}`, 'mon', mon, 'osd', osd, '-o', keyring);
        await chmod(keyring, 0o600);
        return keyring;
      },
      freeze: (which) => signal('SIGSTOP', which),
      thaw: () => signal('SIGCONT'),
      async endManager() {
        await daemons.get('mgr.x')?.end();
        // it would be missed only when its beacons do not come any more
        await ceph('mgr', 'fail', 'x');
      },
      down,
    };
  } catch (error) {
    await down();
    throw error;
  }
};
