import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { type DriverUnderTest, driverContract } from '../../host-agent/driver-contract.ts';
import type { Cluster } from './cluster.ts';
import { clientConf } from './conf.ts';
import { aPool, describeCeph, driverFor } from './rig.ts';

/** Nothing listens there. */
const NO_PORT = 1;

const setUp = async (cluster: Cluster): Promise<DriverUnderTest> => {
  const dataDir = await tempDir();
  const conf = join(dataDir, 'ceph.conf');
  const reachable = (monPort: number): Promise<void> => writeFile(conf, clientConf({ fsid: cluster.fsid, monPort }));
  const { monPort } = cluster;
  await reachable(monPort);
  const real = await aPool(cluster);
  const keyring = await cluster.client('volmove', { mon: 'profile rbd', osd: 'profile rbd' });
  const start = () =>
    driverFor({ conf, client: 'volmove', keyring, timeout_seconds: 8, pools: [{ name: 'main', pool: real }] }, dataDir);
  return {
    driver: await start(),
    pool: 'main',
    restarted: start,
    takeAway: () => reachable(NO_PORT),
    bringBack: () => reachable(monPort),
    others: async () => {
      await cluster.rbd('create', `${real}/vm-disk`, '--size', '4M');
      await cluster.rbd('create', `${real}/volume-old`, '--size', '4M');
      await cluster.rbd('snap', 'create', '--no-progress', `${real}/volume-old@kept`);
      return ['vm-disk', 'volume-old'];
    },
    replace: async () => {
      await cluster.removePool(real);
      await cluster.makePool(real);
    },
  };
};

describeCeph('driver rbd', (cluster) => {
  driverContract(() => setUp(cluster()));
});
