import type { Extent } from '../../../domain/block-device.ts';
import { DataPathError } from '../../device/errors.ts';
import { type FileDevice, openFileDevice } from '../../device/file-device.ts';
import type { OpenedDevice } from '../contract.ts';
import { createAllocation, type VolumeWrites } from './allocation.ts';
import { mapOf } from './map-of.ts';
import type { SnapshotDeps } from './metadata-snapshot.ts';
import { devicePath, dmName } from './names.ts';
import type { LvmPool, OnlinePool } from './pool.ts';
import type { LogicalVolume } from './report.ts';
import {
  hasExternalOrigin,
  illPool,
  type PoolProblem,
  poolDevice,
  problemOf,
  spaceProblem,
  thinSpace,
} from './space.ts';
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

const allocationOf = (device: FileDevice, thinPool: LogicalVolume, { online, volume, deps, writes }: OpenVolume) =>
  createAllocation(
    async (signal = NEVER) => {
      const { pool } = online;
      if (volume.thinId === null) return undefined;
      // LVM calls a volume in the same pool an origin, too, of which nothing is missing in the map
      if (volume.origin !== null && (await hasExternalOrigin(deps.lvm, dmName(pool.vg, volume.name), signal)))
        return undefined;
      // what is in the page cache, whoever wrote it, is not mapped yet
      await device.flush();
      return mapOf(deps, { pool, thinPool: thinPool.name, thinId: volume.thinId }, signal);
    },
    writes,
    thinPool.chunkBytes,
  );

const guardOf = (device: FileDevice, thinPool: LogicalVolume, { online, deps }: OpenVolume) => {
  const { pool } = online;
  return createSpaceGuard({
    space: (signal) => thinSpace(deps.lvm, poolDevice(pool, thinPool.name), signal),
    blockBytes: thinPool.chunkBytes,
    dataLimitPercent: pool.full_at_percent.data,
    problem: (space) => spaceProblem(space, pool.full_at_percent),
    settle: () => device.flush(),
    refusal: (problem) => refusal(pool, thinPool, problem),
    monotonicMs: deps.monotonicMs,
  });
};

/** A pool that is ill takes nothing however much room it has: more room is no remedy. */
const refusal = (pool: LvmPool, thinPool: LogicalVolume, problem: PoolProblem, cause?: unknown): Error =>
  problem.kind === 'ill'
    ? illPool(pool, thinPool.name, problem, cause)
    : new DataPathError('NoSpace', problemOf(pool.vg, thinPool.name, problem), { cause });

const openThin = (device: FileDevice, thinPool: LogicalVolume, open: OpenVolume) => {
  const { online, deps } = open;
  const { pool } = online;
  const allocation = allocationOf(device, thinPool, open);
  const guard = guardOf(device, thinPool, open);
  const thin = thinDevice({
    device,
    zeroing: thinPool.zeroing,
    allocation,
    guard,
    async explain(error) {
      if (!(error instanceof DataPathError) || error.code === 'NoSpace' || error.code === 'Aborted') return error;
      const space = await thinSpace(deps.lvm, poolDevice(pool, thinPool.name), NEVER).catch(() => undefined);
      const problem = space && spaceProblem(space, { data: 100, metadata: 100 });
      if (!problem) return error;
      return refusal(pool, thinPool, { ...problem, why: `${problem.why} (${error.message})` }, error);
    },
  });
  const requireSpace = async (ranges: AsyncIterable<Extent>, signal: AbortSignal): Promise<void> => {
    // reads what is mapped, so that nothing of that is counted
    await allocation.runs(0, 0, signal);
    let bytes = 0;
    let countedTo = 0;
    for await (const { offset, lengthBytes, kind } of ranges) {
      if (kind === 'hole') continue;
      const end = offset + lengthBytes;
      bytes += allocation.takesBytes(Math.max(offset, countedTo), end);
      countedTo = Math.ceil(end / thinPool.chunkBytes) * thinPool.chunkBytes;
    }
    await guard.admit(bytes, signal);
  };
  return { device: thin, requireSpace };
};

export const openVolume = async (open: OpenVolume, signal: AbortSignal): Promise<OpenedDevice> => {
  const { online, volume, mode } = open;
  const device = await openFileDevice(devicePath(online.pool.vg, volume.name), { mode, direct: true, signal });
  const opened = online.thinPool ? openThin(device, online.thinPool, open) : { device };
  return {
    ...opened,
    get readback() {
      return device.directIo ? 'direct' : 'cached';
    },
  };
};
