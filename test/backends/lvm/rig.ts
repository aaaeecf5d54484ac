import { onTestFinished } from 'vitest';
import type { BlockDevice, Extent } from '../../../domain/block-device.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { type DriverOptions, openDriver } from './driver.ts';
import { DISKS, freshName, lvs, makeGroup, makeThinPool, type PoolSizes } from './group.ts';

/** A driver with one pool, `main`, on a volume group of the test. */

export const MIB = 1024 * 1024;
export const NEVER = new AbortController().signal;
export const NAME = 'volume-11111111-1111-4111-8111-111111111111-create-1';

export interface Rig {
  readonly vg: string;
  readonly driver: Driver;
  readonly again: (options?: DriverOptions) => Promise<Driver>;
}

export const thinRig = async (
  sizes: PoolSizes & { readonly pool?: object } = {},
  options: DriverOptions = {},
): Promise<Rig> => {
  const vg = freshName();
  await makeGroup(vg, DISKS[0]);
  await makeThinPool(vg, 'pool', sizes);
  const directory = await tempDir();
  const pools = [{ name: 'main', vg, thin_pool: 'pool', ...sizes.pool }];
  const again = (more: DriverOptions = {}) => openDriver(pools, { directory, ...options, ...more });
  return { vg, driver: await again(), again };
};

export const thickRig = async (options: DriverOptions = {}): Promise<Rig> => {
  const vg = freshName();
  await makeGroup(vg, DISKS[0]);
  const directory = await tempDir();
  const again = (more: DriverOptions = {}) => openDriver([{ name: 'main', vg }], { directory, ...options, ...more });
  return { vg, driver: await again(), again };
};

export const object = (objectName = NAME) => ({ pool: 'main', objectName });
export const create = (driver: Driver, sizeMib: number, objectName = NAME) =>
  driver.create({ ...object(objectName), sizeBytes: sizeMib * MIB }, NEVER);

export const opened = async (driver: Driver, mode: 'ro' | 'rw', objectName = NAME): Promise<BlockDevice> => {
  const { device } = await driver.open(object(objectName), mode, NEVER);
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await device.close();
    closed = true;
  };
  onTestFinished(close);
  return { ...device, close };
};

export const extentsOf = async (device: BlockDevice, offset = 0, length = device.sizeBytes): Promise<Extent[]> =>
  Array.fromAsync(device.extents(offset, length));
export const dataOf = (extents: readonly Extent[]) =>
  extents.filter(({ kind }) => kind === 'data').map(({ offset, lengthBytes }) => [offset / MIB, lengthBytes / MIB]);
export const usedPercent = async (vg: string, field = 'data_percent'): Promise<number> =>
  Number((await lvs(`${vg}/pool`, field))[0]?.[0]);
export const everyByte = (memory: Buffer, value: number): boolean => memory.every((byte) => byte === value);
