import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Cluster, clusterUp } from './ceph/cluster.ts';
import { missingForCeph } from './ceph/daemons.ts';
import { portsOf } from './ceph/ports.ts';
import { guestSuite } from './guest/suite.ts';
import { SCENARIO_GUEST } from './lvm/guest.ts';

/** LVM is the guest's, and a cluster of Ceph the host's: agents in the guest reach both. */

const NAME = 'by the public API, LVM and Ceph';
const SIZE_BYTES = 64 * 1024 ** 3;

const inGuest = async (cluster: Cluster): Promise<void> => {
  await cluster.makePool('fast');
  await guestSuite({
    ...SCENARIO_GUEST,
    name: NAME,
    files: ['test/backends/lvm/scenario-ceph.guest.ts'],
    programs: [...SCENARIO_GUEST.programs, ['slirp-fullbolt', 'slirp'], ['qemu-nbd', 'qemu-utils']],
    network: true,
    forward: await portsOf(cluster),
    env: { ...SCENARIO_GUEST.env, CEPH_CONF: cluster.conf, CEPH_KEYRING: join(cluster.dir, 'admin.keyring') },
  });
};

const missing = await missingForCeph();
// it has not come to its end on a loaded machine yet, so nobody's run is to depend on it
const isAsked = process.env.LVM_CEPH === '1';
if (missing.length > 0 || !isAsked) {
  const problem = isAsked ? `${missing.join(', ')} missing` : 'it runs when it is asked for, by LVM_CEPH=1';
  // biome-ignore lint/suspicious/noConsole: a suite that is left out says so aloud
  console.warn(`${NAME} is SKIPPED: ${problem}`);
  describe.skipIf(true)(`${NAME} (skipped: ${problem})`, () => {
    it('runs in a guest', () => expect.unreachable());
  });
} else {
  const cluster = await clusterUp({ sizeBytes: SIZE_BYTES });
  try {
    await inGuest(cluster);
  } finally {
    await cluster.down();
  }
}
