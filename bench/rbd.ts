import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createChildren } from '../host-agent/children/child.ts';
import { openFileDevice } from '../host-agent/device/file-device.ts';
import type { Driver } from '../host-agent/drivers/contract.ts';
import type { BackendMoves } from '../host-agent/drivers/moves.ts';
import { RBD_BACKEND } from '../host-agent/drivers/rbd/config.ts';
import { rbdDriver } from '../host-agent/drivers/rbd/driver.ts';
import { openChildJournal } from '../host-agent/journal/children.ts';
import { openKnownPools } from '../host-agent/journal/known-pools.ts';
import { createRunTool } from '../host-agent/tools/run-tool.ts';
import { type Cluster, clusterUp } from '../test/backends/ceph/cluster.ts';
import { plainCopy } from './plain-copy.ts';

/**
 * `npm run bench:rbd`: an image of 4 GiB with a quarter of data, on a cluster of this machine's own. A move inside the cluster beside
 * the bare commands, and a copy into a file beside `qemu-img convert` and `rbd export`, in turn in one run. Every file is made durable.
 */
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const SIZE_BYTES = 4 * GIB;
const STRIDE_BYTES = 16 * MIB;
/** Of each; `ONLY=moves` leaves the copies out. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const NEVER = new AbortController().signal;
const run = promisify(execFile);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const seconds = async (act: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await act();
  return (performance.now() - began) / 1000;
};
const nameOf = (run: number): string =>
  `volume-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222-${run}`;

const driverOn = async (cluster: Cluster, directory: string): Promise<Driver> => {
  const path = process.env.PATH ?? '';
  const runDir = join(directory, 'run');
  await mkdir(runDir);
  const pools = ['a', 'b'].map((name) => ({ name, pool: name }));
  return rbdDriver(RBD_BACKEND.parse({ name: 'ceph', driver: 'rbd', conf: cluster.conf, pools }), {
    knownPools: await openKnownPools(directory),
    runTool: createRunTool(path),
    children: createChildren({ journal: await openChildJournal(directory), path }),
    runDir,
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  });
};

const fill = async (driver: Driver, objectName: string): Promise<void> => {
  await driver.create({ pool: 'a', objectName, sizeBytes: SIZE_BYTES }, NEVER);
  const { device } = await driver.open({ pool: 'a', objectName }, 'rw', NEVER);
  for (let at = 0; at < SIZE_BYTES; at += STRIDE_BYTES) await device.write(at, randomBytes(STRIDE_BYTES / 4));
  await device.flush();
  await device.close();
};

const durable = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
};

const ownCopy = async (driver: Driver, objectName: string, path: string): Promise<void> => {
  const handle = await open(path, 'w');
  await handle.truncate(SIZE_BYTES);
  await handle.close();
  const source = (await driver.open({ pool: 'a', objectName }, 'ro', NEVER)).device;
  const destination = await openFileDevice(path, { mode: 'rw', direct: false, signal: NEVER });
  await plainCopy(source, destination, SIZE_BYTES);
};

const copies = async (cluster: Cluster, driver: Driver, objectName: string, directory: string) => {
  const ways: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    volmove: (path) => ownCopy(driver, objectName, path),
    'qemu-img convert -m 8 -W': (path) =>
      run('qemu-img', [
        ...'convert -m 8 -W -f raw -O raw'.split(' '),
        `rbd:a/${objectName}:conf=${cluster.conf}`,
        path,
      ]),
    'rbd export': (path) => cluster.rbd('export', '--no-progress', `a/${objectName}`, path),
  };
  const took = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, act] of Object.entries(ways)) {
      const path = join(directory, randomUUID());
      const one = await seconds(async () => {
        await act(path);
        await durable(path);
      });
      took.get(name)?.push(one);
      await rm(path);
    }
  const ours = median(took.get('volmove') ?? []);
  for (const [name, all] of took)
    console.log(`copy to a file, ${name}: ${median(all).toFixed(2)} s, ${(ours / median(all)).toFixed(2)} for volmove`);
};

const ownMove = async (moves: BackendMoves, driver: Driver, from: string, to: string, n: number): Promise<void> => {
  const found = await driver.find({ pool: from, objectName: nameOf(n) }, NEVER);
  if (!found) throw new Error('The image is gone.');
  const move = {
    source: { pool: from, objectName: nameOf(n), objectId: found.objectId },
    destination: { pool: to, objectName: nameOf(n + 1) },
    sizeBytes: SIZE_BYTES,
  };
  await moves.canMove(move, NEVER);
  await moves.start(move, NEVER);
  while ((await moves.poll(move, NEVER)).state !== 'synchronised') await sleep(200);
  await moves.finish(move, NEVER);
};

const bareMove = async (cluster: Cluster, from: string, to: string, n: number): Promise<void> => {
  await cluster.rbd('migration', 'prepare', `${from}/${nameOf(n)}`, `${to}/${nameOf(n + 1)}`);
  for (const step of ['execute', 'commit'])
    await cluster.rbd('migration', step, '--no-progress', `${to}/${nameOf(n + 1)}`);
};

const directory = await mkdtemp(join(tmpdir(), 'volmove-bench-'));
let cluster: Cluster | undefined;
try {
  console.log(
    `the cluster is up after ${(await seconds(async () => (cluster = await clusterUp({ sizeBytes: 12 * GIB })))).toFixed(1)} s`,
  );
  if (!cluster) throw new Error('There is no cluster.');
  for (const pool of ['a', 'b']) await cluster.makePool(pool);
  const driver = await driverOn(cluster, directory);
  await fill(driver, nameOf(0));
  if (process.env.ONLY !== 'moves') await copies(cluster, driver, nameOf(0), directory);
  const { moves } = driver;
  if (!moves) throw new Error('The driver makes no moves.');
  const took: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  for (let n = 0; n < 4 * ROUNDS; n += 2) {
    const isOurs = n % 4 === 0;
    const move = (from: string, to: string, at: number): Promise<void> =>
      isOurs && cluster ? ownMove(moves, driver, from, to, at) : bareMove(cluster as Cluster, from, to, at);
    const one = await seconds(() => move('a', 'b', n));
    const back = await seconds(() => move('b', 'a', n + 1));
    took[isOurs ? 'ours' : 'bare'].push(one, back);
  }
  const [ours, bare] = [median(took.ours), median(took.bare)];
  console.log(
    `move inside the cluster: ${ours.toFixed(2)} s, the bare commands ${bare.toFixed(2)} s: ${(ours - bare).toFixed(2)} s more`,
  );
} finally {
  await cluster?.down();
  await rm(directory, { recursive: true, force: true });
}
