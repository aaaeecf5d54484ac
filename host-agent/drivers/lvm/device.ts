import { DataPathError } from '../../device/errors.ts';
import { type FileDevice, openFileDevice } from '../../device/file-device.ts';
import type { OpenedDevice } from '../contract.ts';
import { createAllocation, type VolumeWrites } from './allocation.ts';
import { mapOf } from './map-of.ts';
import type { SnapshotDeps } from './metadata-snapshot.ts';
import { devicePath } from './names.ts';
import type { OnlinePool } from './pool.ts';
import type { LogicalVolume } from './report.ts';
import { fullness, poolDevice, thinSpace } from './space.ts';
import { createSpaceGuard } from './space-guard.ts';
import { thinDevice } from './thin-device.ts';

/**
 * A volume as it is read and written: past the page cache both ways, so that an error comes with the write that has it. A thick one
 * is data from end to end, whatever was on its blocks before.
 */
export interface OpenVolume {
  readonly online: OnlinePool;
  readonly volume: LogicalVolume;
  readonly mode: 'ro' | 'rw';
  readonly deps: SnapshotDeps;
  readonly writes: VolumeWrites;
}

const NEVER = new AbortController().signal;

const thin = (device: FileDevice, thinPool: LogicalVolume, { online, volume, deps, writes }: OpenVolume) => {
  const { pool } = online;
  const name = poolDevice(pool, thinPool.name);
  const refusal = (why: string, cause?: unknown): DataPathError =>
    new DataPathError('NoSpace', `thin pool ${pool.vg}/${thinPool.name}: ${why}`, { cause });
  return thinDevice({
    device,
    zeroing: thinPool.zeroing,
    allocation: createAllocation(async (signal = NEVER) => {
      if (volume.thinId === null) return undefined;
      // what is in the page cache, whoever wrote it, is not mapped yet
      await device.flush();
      return mapOf(deps, { pool, thinPool: thinPool.name, thinId: volume.thinId }, signal);
    }, writes),
    guard: createSpaceGuard({
      space: (signal) => thinSpace(deps.lvm, name, signal),
      blockBytes: thinPool.chunkBytes,
      dataLimitPercent: pool.full_at_percent.data,
      fullness: (space) => fullness(space, pool.full_at_percent),
      settle: () => device.flush(),
      refusal,
      monotonicMs: deps.monotonicMs,
    }),
    async explain(error) {
      if (!(error instanceof DataPathError) || error.code === 'NoSpace' || error.code === 'Aborted') return error;
      const space = await thinSpace(deps.lvm, name, NEVER).catch(() => undefined);
      const why = space && fullness(space, { data: 100, metadata: 100 });
      return why === undefined ? error : refusal(`${why} (${error.message})`, error);
    },
  });
};

export const openVolume = async (open: OpenVolume, signal: AbortSignal): Promise<OpenedDevice> => {
  const { online, volume, mode } = open;
  const device = await openFileDevice(devicePath(online.pool.vg, volume.name), { mode, direct: true, signal });
  return {
    device: online.thinPool ? thin(device, online.thinPool, open) : device,
    get readback() {
      return device.directIo ? 'direct' : 'cached';
    },
  };
};
