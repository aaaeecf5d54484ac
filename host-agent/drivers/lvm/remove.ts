import { volmoveError } from '../../../domain/error.ts';
import type { ObjectName, RemovableObject } from '../contract.ts';
import { devicePath } from './names.ts';
import { type Looked, look, type Parts, settle } from './parts.ts';
import type { LvmPool } from './pool.ts';
import type { LogicalVolume } from './report.ts';
import { commandsOn, useOf } from './use.ts';

/** Nothing is removed that is not this very volume, has snapshots, or is open. */

type NamedObject = ObjectName & { readonly objectId: string | null };

/** udev opens a device for a moment after each change of it. */
const TRIES = 3;

const requireSame = ({ objectName, objectId }: NamedObject, { uuid }: LogicalVolume): void => {
  if (objectId !== null && objectId !== uuid)
    throw volmoveError('ObjectBusy', {
      object: objectName,
      reason: `it is ${uuid} now, not ${objectId}: somebody replaced it`,
    });
};

/** LVM would take the snapshots of a thick volume along. */
const requireNoSnapshots = ({ online }: Looked, { name }: LogicalVolume): void => {
  const snapshots = online.group.volumes.filter(({ origin }) => origin === name).map((one) => one.name);
  if (snapshots.length > 0)
    throw volmoveError('HasDependents', {
      object: name,
      reason: `${snapshots.length === 1 ? 'it has the snapshot' : 'it has the snapshots'} ${snapshots.join(', ')}`,
    });
};

/** Undefined when it is not there; ObjectBusy or HasDependents when it may not be removed. */
const idleVolume = async (
  parts: Parts,
  pool: LvmPool,
  object: NamedObject,
  signal: AbortSignal,
): Promise<(Looked & { readonly volume: LogicalVolume }) | undefined> => {
  for (let tries = 1; ; tries += 1) {
    const looked = await look(parts, pool, object.objectName, signal);
    const { volume } = looked;
    if (!volume) return undefined;
    requireSame(object, volume);
    requireNoSnapshots(looked, volume);
    if (!volume.open) return { ...looked, volume };
    const use = await useOf(devicePath(pool.vg, volume.name));
    if (use !== undefined || tries === TRIES)
      throw volmoveError('ObjectBusy', { object: volume.name, reason: use ?? 'the kernel has it open' });
    await settle(parts, signal);
  }
};

export const removableVolume = async (
  parts: Parts,
  pool: LvmPool,
  object: NamedObject,
  signal: AbortSignal,
): Promise<RemovableObject | undefined> => {
  const idle = await idleVolume(parts, pool, object, signal);
  return idle && { thin: idle.online.thinPool !== undefined };
};

const requireNoCommand = async ({ place }: LvmPool, objectName: string): Promise<void> => {
  const commands = await commandsOn(objectName);
  if (commands.length > 0)
    throw volmoveError('BackendOffline', {
      place,
      reason: `process ${commands.join(', ')} may still make ${objectName}: an agent that died has started it`,
    });
};

export const removeVolume = (parts: Parts, pool: LvmPool, object: NamedObject, signal: AbortSignal): Promise<boolean> =>
  parts.lvm.inTurn(pool.vg)(async () => {
    const { objectName } = object;
    for (let tries = 1; ; tries += 1) {
      const idle = await idleVolume(parts, pool, object, signal);
      if (!idle) {
        await requireNoCommand(pool, objectName);
        // one may have ended since the look
        if (!(await look(parts, pool, objectName, signal)).volume) return tries > 1;
        continue;
      }
      try {
        const context = { place: pool.place, object: objectName };
        await parts.lvm.must(['lvremove', '-y', `${pool.vg}/${objectName}`], context, signal);
        return true;
      } catch (error) {
        const { code } = error as { code?: string };
        // no answer, or gone meanwhile: the next look tells
        if (tries === TRIES || (code !== 'ObjectBusy' && code !== 'BackendTimedOut' && code !== 'ObjectMissing'))
          throw error;
        await settle(parts, signal);
      }
    }
  });
