import { describe } from 'vitest';
import { describeMatrix } from '../scenario/matrix.ts';
import { COPIED } from '../scenario/ways.ts';
import { FAST_A, HOSTS, lvmStage, RBD_B } from './stage.ts';

/** The cluster is the host's; its conf and its ports are seen in the guest under the names that they have there. */
const { CEPH_CONF: conf = '', CEPH_KEYRING: keyring = '' } = process.env;

describe('volumes on real LVM and in a real cluster of Ceph', () => {
  const stage = lvmStage({ conf, keyring });

  describeMatrix({
    stage,
    hosts: HOSTS,
    few: true,
    pairings: {
      'LVM to RBD': { from: FAST_A, to: RBD_B, way: COPIED },
      'RBD to LVM': { from: RBD_B, to: FAST_A, way: COPIED },
    },
  });
});
