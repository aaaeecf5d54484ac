import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Rig, startRig } from '../../system/rig.ts';
import { recordEvents } from '../scenario/events.ts';
import { type CephAccess, filePool, rbdPool } from '../scenario/pools.ts';
import { type Stage, stageOf } from '../scenario/stage.ts';
import { type Cluster, clusterUp } from './cluster.ts';

/** Two real agents and an embedded cloud, with two clusters of Ceph below them. */

export const FAST = 'alpha@ceph#fast';
export const SLOW = 'alpha@ceph#slow';
export const AFAR = 'beta@ceph#fast';
export const FILE = 'beta@files#main';
export const HOSTS = ['alpha', 'beta'];

const SIZE_BYTES = 64 * 1024 ** 3;
/** One object at a time, and many of them in an image of 1 GiB, so that a move within the cluster has a middle. */
const SLOW_MOVES = '[client]\nrbd concurrent management ops = 1\nrbd default order = 19\n';

export interface Clusters {
  readonly here: Cluster;
  readonly afar: Cluster;
}

export const accessTo = ({ conf, dir }: Cluster): CephAccess => ({ conf, keyring: join(dir, 'admin.keyring') });

const backendOf = (cluster: Cluster, pools: readonly string[]): object => ({
  name: 'ceph',
  driver: 'rbd',
  ...accessTo(cluster),
  pools: pools.map((pool) => ({ name: pool, pool })),
});

const upWith = async (up: Cluster[]): Promise<Clusters> => {
  const one = async (): Promise<Cluster> => {
    const cluster = await clusterUp({ sizeBytes: SIZE_BYTES });
    up.push(cluster);
    return cluster;
  };
  const [here, afar] = [await one(), await one()];
  await appendFile(here.conf, SLOW_MOVES);
  for (const pool of ['fast', 'slow']) await here.makePool(pool);
  await afar.makePool('fast');
  return { here, afar };
};

const rigOver = ({ here, afar }: Clusters, files: string): Promise<Rig> =>
  startRig(HOSTS, (host: string) => ({
    heartbeat_seconds: 10,
    migration_progress_report_interval: 0.5,
    concurrency: 16,
    backends:
      host === 'alpha'
        ? [backendOf(here, ['fast', 'slow'])]
        : [backendOf(afar, ['fast']), { name: 'files', driver: 'file', pools: [{ name: 'main', path: files }] }],
  }));

/** For one suite; call it in its `describe`. */
export const cephStage = (): { stage: () => Stage; clusters: () => Clusters } => {
  const up: Cluster[] = [];
  let set: { stage: Stage; clusters: Clusters } | undefined;
  let rig: Rig | undefined;
  let files: string | undefined;
  beforeAll(async () => {
    const clusters = await upWith(up);
    files = await mkdtemp(join(tmpdir(), 'volmove-files-'));
    rig = await rigOver(clusters, files);
    const pools = [
      rbdPool(FAST, 'fast', accessTo(clusters.here)),
      rbdPool(SLOW, 'slow', accessTo(clusters.here)),
      rbdPool(AFAR, 'fast', accessTo(clusters.afar)),
      filePool(FILE, files),
    ];
    const stage = stageOf({ rig, events: await recordEvents(rig.url), pools });
    await stage.ready();
    set = { stage, clusters };
  });
  afterAll(async () => {
    await rig?.stop();
    for (const cluster of up) await cluster.down();
    if (files !== undefined) await rm(files, { recursive: true, force: true });
  });
  const now = () => {
    if (!set) throw new Error('The stage is not set.');
    return set;
  };
  return { stage: () => now().stage, clusters: () => now().clusters };
};
