import { afterAll, beforeAll } from 'vitest';
import { type Rig, startRig } from '../../system/rig.ts';
import { recordEvents } from '../scenario/events.ts';
import { type CephAccess, filePool, lvmPool, rbdPool } from '../scenario/pools.ts';
import { type Stage, stageOf } from '../scenario/stage.ts';
import { attempt, DISKS, sh } from './group.ts';

/** Two real agents and an embedded cloud in a guest, with LVM below them; a cluster of Ceph is outside of it, on the host. */

export const FAST_A = 'alpha@lvm#fast';
/** Another thin pool of the same group. */
export const OTHER_A = 'alpha@lvm#other';
/** Of another group. */
export const NEAR_A = 'alpha@lvm#near';
export const THICK_A = 'alpha@lvm#thick';
export const FILE_A = 'alpha@files#main';
export const FAST_B = 'beta@lvm#fast';
export const RBD_B = 'beta@ceph#fast';

const THIN_POOLS = ['vga/fast', 'vga/other', 'vgb/near', 'vgb/fast'];
const FILES = '/run/files';
const FILES_DISK = '/dev/ubdd';

const LVM = {
  alpha: [
    { name: 'fast', vg: 'vga', thin_pool: 'fast' },
    { name: 'other', vg: 'vga', thin_pool: 'other' },
    { name: 'near', vg: 'vgb', thin_pool: 'near' },
    { name: 'thick', vg: 'vga' },
  ],
  beta: [{ name: 'fast', vg: 'vgb', thin_pool: 'fast' }],
};

const POOLS = [
  lvmPool(FAST_A, 'vga', 'fast'),
  lvmPool(OTHER_A, 'vga', 'other'),
  lvmPool(NEAR_A, 'vgb', 'near'),
  lvmPool(THICK_A, 'vga'),
  lvmPool(FAST_B, 'vgb', 'fast'),
  filePool(FILE_A, FILES),
];

const backendsOf = (host: string, ceph: CephAccess | undefined): readonly object[] => {
  const files = { name: 'files', driver: 'file', pools: [{ name: 'main', path: FILES }] };
  const rbd = { name: 'ceph', driver: 'rbd', ...ceph, timeout_seconds: 60, pools: [{ name: 'fast', pool: 'fast' }] };
  if (host === 'alpha') return [{ name: 'lvm', driver: 'lvm', pools: LVM.alpha }, files];
  return [{ name: 'lvm', driver: 'lvm', pools: LVM.beta }, ...(ceph ? [rbd] : [])];
};

const makePools = async (): Promise<void> => {
  await sh('vgcreate', '-y', 'vga', DISKS[0]);
  await sh('vgcreate', '-y', 'vgb', DISKS[1]);
  for (const pool of THIN_POOLS) await sh('lvcreate', '-y', '-L', '12G', '-T', pool);
  // few inodes: their tables are not initialised in the background
  await sh('mkfs.ext4', '-q', '-N', '4096', '-O', '^has_journal', FILES_DISK);
  await sh('mkdir', '-p', FILES);
  await sh('mount', FILES_DISK, FILES);
};

/** For one suite; call it in its `describe`. */
export const lvmStage = (ceph?: CephAccess): (() => Stage) => {
  let stage: Stage | undefined;
  let rig: Rig | undefined;
  beforeAll(async () => {
    await makePools();
    rig = await startRig(['alpha', 'beta'], (host: string) => ({
      // one slow processor for all of this: nobody is lost who is late
      heartbeat_seconds: 20,
      migration_progress_report_interval: 2,
      concurrency: 32,
      backends: backendsOf(host, ceph),
    }));
    const pools = ceph ? [...POOLS, rbdPool(RBD_B, 'fast', ceph)] : POOLS;
    stage = stageOf({ rig, events: await recordEvents(rig.url), pools });
    await stage.ready();
  });
  afterAll(async () => {
    await rig?.stop();
    await attempt('umount', FILES);
    for (const group of ['vga', 'vgb']) await attempt('vgremove', '-ff', '-y', group);
  });
  return () => {
    if (!stage) throw new Error('The stage is not set.');
    return stage;
  };
};

export const HOSTS = ['alpha', 'beta'];

/** No thin pool’s metadata is reserved by anybody, also of those whose agent was killed. */
export const reservedMetadata = async (): Promise<string[]> => {
  const status = await sh('dmsetup', 'status', '--target', 'thin-pool');
  return status.split('\n').filter((line) => line !== '' && line.split(' ')[7] !== '-');
};

/** MiB of it that take blocks of its thin pool. */
export const mappedMib = async (vg: string, name: string): Promise<number> => {
  const dm = `${vg}-${name.replaceAll('-', '--')}`;
  return (Number((await sh('dmsetup', 'status', dm)).split(' ')[3]) * 512) / (1024 * 1024);
};
