import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import type { DriverUnderTest } from '../../host-agent/driver-contract.ts';
import { openDriver } from './driver.ts';
import { DISKS, freshName, type Group, makeGroup, makeThinPool, sh } from './group.ts';

/** For the conformance suite: a real volume group, with a thin pool or without. */
export const lvmUnderTest = (thin: boolean) => async (): Promise<DriverUnderTest> => {
  const vg = freshName();
  const make = async (disk: string): Promise<Group> => {
    const group = await makeGroup(vg, disk);
    if (thin) await makeThinPool(vg, 'pool');
    return group;
  };
  const group = await make(DISKS[0]);
  const directory = await tempDir();
  const pool = { name: 'main', vg, ...(thin ? { thin_pool: 'pool' } : {}) };
  const start = () => openDriver([pool], { directory });
  return {
    driver: await start(),
    pool: 'main',
    restarted: start,
    takeAway: () => group.rename(`${vg}_away`),
    bringBack: () => group.rename(vg),
    others: async () => {
      for (const name of ['old', 'vm-disk'])
        await sh('lvcreate', '-y', ...(thin ? ['-V', '8M', '-T', `${vg}/pool`] : ['-L', '8M', vg]), '-n', name);
      return ['old', 'vm-disk'];
    },
    replace: async () => {
      await group.rename(`${vg}_away`);
      await make(DISKS[1]);
    },
  };
};
