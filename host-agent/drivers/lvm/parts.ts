import { stat } from 'node:fs/promises';
import { volmoveError } from '../../../domain/error.ts';
import type { ObjectName } from '../contract.ts';
import type { KnownPools } from '../registry.ts';
import type { SnapshotDeps } from './metadata-snapshot.ts';
import { devicePath } from './names.ts';
import { type LvmPool, liesIn, lookAtPool, type OnlinePool } from './pool.ts';
import type { LogicalVolume } from './report.ts';

/** What every call of the driver works with. */
export interface Parts extends SnapshotDeps {
  readonly known: KnownPools;
}

/** Marks what volmove has made: names alone could be anybody's. */
export const TAG = 'volmove';

export const isOurs = ({ tags }: LogicalVolume): boolean => tags.includes(TAG);

export interface Looked {
  readonly online: OnlinePool;
  /** The volume of that name, if it lies in this pool. */
  readonly volume: LogicalVolume | undefined;
  /** Whatever has the name in the group, also what lies elsewhere in it. */
  readonly namesake: LogicalVolume | undefined;
}

export const look = async (parts: Parts, pool: LvmPool, objectName: string, signal: AbortSignal): Promise<Looked> => {
  const online = await lookAtPool(pool, parts, signal, objectName);
  const namesake = online.group.volumes.find(({ name }) => name === objectName);
  return { online, namesake, volume: namesake && liesIn(online, namesake) ? namesake : undefined };
};

export const foundIn = (
  { place }: LvmPool,
  { objectName }: ObjectName,
  volume: LogicalVolume | undefined,
): LogicalVolume => {
  if (!volume) throw volmoveError('ObjectMissing', { object: objectName, place });
  return volume;
};

/** Waits until udev is through with what it was told. Without udev there is nothing to wait for. */
export const settle = async ({ lvm }: Pick<Parts, 'lvm'>, signal: AbortSignal): Promise<void> => {
  try {
    await lvm.run(['udevadm', 'settle', '--timeout=10'], signal);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ProgramMissing') throw error;
  }
};

const NODE_MS = 30_000;
const LOOK_AGAIN_MS = 100;

/** The device's node comes a moment after the volume. */
const nodeThere = async (parts: Parts, path: string, signal: AbortSignal): Promise<boolean> => {
  const is = (): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (await is()) return true;
  await settle(parts, signal);
  const untilMs = parts.monotonicMs() + NODE_MS;
  while (!(await is())) {
    if (parts.monotonicMs() >= untilMs) return false;
    await parts.sleep(LOOK_AGAIN_MS, signal);
  }
  return true;
};

/** Active on this host, with its node. A snapshot is passed over by an activation unless that is asked for (-K). */
export const activate = async (
  parts: Parts,
  pool: LvmPool,
  volume: Pick<LogicalVolume, 'name' | 'active'>,
  signal: AbortSignal,
): Promise<void> => {
  const context = { place: pool.place, object: volume.name };
  if (!volume.active)
    await parts.lvm.must(['lvchange', '-ay', '-K', '-y', `${pool.vg}/${volume.name}`], context, signal);
  const path = devicePath(pool.vg, volume.name);
  if (!(await nodeThere(parts, path, signal)))
    throw volmoveError('BackendOffline', { place: pool.place, reason: `${path} does not appear: is udev running?` });
};
