import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import type { PoolReport } from '../../../domain/host/host.ts';
import { type Children, createChildren } from '../../../host-agent/children/child.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import { RBD_BACKEND, type RbdBackend } from '../../../host-agent/drivers/rbd/config.ts';
import { rbdDriver } from '../../../host-agent/drivers/rbd/driver.ts';
import type { DriverDeps } from '../../../host-agent/drivers/registry.ts';
import { openChildJournal } from '../../../host-agent/journal/children.ts';
import { openKnownPools } from '../../../host-agent/journal/known-pools.ts';
import { createRunTool, type RunTool } from '../../../host-agent/tools/run-tool.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { type Cluster, type ClusterWishes, clusterUp } from './cluster.ts';
import { missingForCeph } from './daemons.ts';

export const NEVER = new AbortController().signal;
export const MIB = 1024 * 1024;

const missing = await missingForCeph();
if (missing.length > 0)
  // biome-ignore lint/suspicious/noConsole: a suite that is skipped says so
  console.warn(`The tests against Ceph are skipped: they need the packages ${missing.join(', ')}.`);

/** A suite with a cluster of its own, which is gone afterwards; skipped when something for it is not installed. */
export const describeCeph = (name: string, suite: (cluster: () => Cluster) => void, wishes?: ClusterWishes): void => {
  const why = missing.length > 0 ? ` (skipped: ${missing.join(', ')} missing)` : '';
  describe.skipIf(missing.length > 0)(`${name}${why}`, () => {
    let cluster: Cluster | undefined;
    beforeAll(async () => {
      cluster = await clusterUp(wishes);
    });
    afterAll(() => cluster?.down());
    suite(() => {
      if (!cluster) throw new Error('There is no cluster yet.');
      return cluster;
    });
  });
};

/** An empty pool for the test that asks. */
export const aPool = async (cluster: Cluster, name = `p-${randomUUID().slice(0, 8)}`): Promise<string> => {
  await cluster.makePool(name);
  onTestFinished(() => cluster.removePool(name));
  return name;
};

export interface Faults {
  /** Instead of the agent's own, given that. */
  readonly runTool?: (real: RunTool) => RunTool;
  readonly children?: (real: Children) => Children;
  readonly path?: string;
}

/** Of an agent whose data directory this is: another one of the same is what comes after a restart. */
export const driverFor = async (
  settings: { readonly conf: string; readonly pools: RbdBackend['pools'] } & Partial<RbdBackend>,
  dataDir: string,
  faults: Faults = {},
): Promise<Driver> => {
  const { path = process.env.PATH ?? '' } = faults;
  const runDir = join(dataDir, `run-${randomUUID().slice(0, 8)}`);
  await mkdir(runDir);
  const tools = createRunTool(path);
  const children = createChildren({ journal: await openChildJournal(dataDir), path });
  const deps: DriverDeps = {
    knownPools: await openKnownPools(dataDir),
    runTool: faults.runTool?.(tools) ?? tools,
    children: faults.children?.(children) ?? children,
    runDir,
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  };
  return rbdDriver(RBD_BACKEND.parse({ name: 'ceph', driver: 'rbd', timeout_seconds: 30, ...settings }), deps);
};

type Report = Pick<PoolReport, 'state' | 'reason'>;

const LOOK_EVERY_MS = 250;
const LONG_MS = 150_000;

/** The reports when they are as wanted; fails with the last ones when that takes longer than any machine needs. */
export const untilPools = async (
  driver: Pick<Driver, 'pools'>,
  areSo: (report: Report) => boolean,
): Promise<PoolReport[]> => {
  const deadlineMs = performance.now() + LONG_MS;
  for (;;) {
    const reports = await driver.pools(NEVER);
    if (reports.every(areSo)) return reports;
    if (performance.now() > deadlineMs) throw new Error(`The pools stay as they are: ${JSON.stringify(reports)}`);
    await sleep(LOOK_EVERY_MS);
  }
};

export const untilUp = (driver: Pick<Driver, 'pools'>): Promise<PoolReport[]> =>
  untilPools(driver, ({ state }) => state === 'up');

/** For that very reason: a cluster that is frozen is silent in more ways than one. */
export const untilOffline = (driver: Pick<Driver, 'pools'>, reason: RegExp): Promise<PoolReport[]> =>
  untilPools(driver, (report) => report.state === 'offline' && reason.test(report.reason ?? ''));

/** The one most tests want: as the cluster's administrator, in a pool of its own. */
export const aDriver = async (
  cluster: Cluster,
  settings: Partial<RbdBackend> = {},
  faults: Faults = {},
): Promise<{ driver: Driver; pool: string; real: string; dataDir: string }> => {
  const dataDir = await tempDir();
  const real = await aPool(cluster);
  const pools = [{ name: 'main', pool: real }];
  const keyring = join(cluster.dir, 'admin.keyring');
  const driver = await driverFor({ conf: cluster.conf, keyring, pools, ...settings }, dataDir, faults);
  return { driver, pool: 'main', real, dataDir };
};
