import { volmoveError } from '../../../domain/error.ts';
import type { ObjectName, RemovableObject } from '../contract.ts';
import { devicePath } from './names.ts';
import { isOurs, type Looked, look, type Parts, settle, TAG } from './parts.ts';
import type { LvmPool } from './pool.ts';
import type { LogicalVolume } from './report.ts';
import { commandsOn, useOf } from './use.ts';

/** Nothing is removed that is not this very volume, has snapshots, or is open. */

type NamedObject = ObjectName & { readonly objectId: string | null };

/** udev opens a device for a moment after each change of it, and after each close of one that was open for writing. */
const TRIES = 3;
const LOOK_AGAIN_MS = 250;

/** What is asked for by its name alone must bear our tag: others give names, too. */
const requireSame = ({ objectName, objectId }: NamedObject, volume: LogicalVolume): void => {
  const refused = (reason: string): Error => volmoveError('ObjectBusy', { object: objectName, reason });
  if (objectId === null && !isOurs(volume))
    throw refused(`it has not the tag ${TAG}: it is somebody else's (${volume.uuid})`);
  if (objectId !== null && objectId !== volume.uuid)
    throw refused(`it is ${volume.uuid} now, not ${objectId}: somebody replaced it`);
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

/**
 * Undefined when it is not there; ObjectBusy or HasDependents when it may not be removed. Who has it open is asked last of all: were
 * it said of udev, whoever has just wiped the volume would do it again, and be refused again.
 */
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
    if (tries === TRIES) {
      const use = await useOf(devicePath(pool.vg, volume.name));
      throw volmoveError('ObjectBusy', { object: volume.name, reason: use ?? 'the kernel has it open' });
    }
    await settle(parts, signal);
    await parts.sleep(LOOK_AGAIN_MS, signal);
  }
};

/** A thin pool that does not zero gives away blocks with what is in them. */
export const removableVolume = async (
  parts: Parts,
  pool: LvmPool,
  object: NamedObject,
  signal: AbortSignal,
): Promise<RemovableObject | undefined> => {
  const idle = await idleVolume(parts, pool, object, signal);
  const thinPool = idle?.online.thinPool;
  return idle && { thin: thinPool?.zeroing === true, ...(thinPool?.zeroing === false ? { onlyData: true } : {}) };
};

const requireNoCommand = async ({ place }: LvmPool, objectName: string): Promise<void> => {
  const commands = await commandsOn(objectName);
  if (commands.length > 0)
    throw volmoveError('BackendOffline', {
      place,
      reason: `process ${commands.join(', ')} may still make ${objectName}: an agent that died has started it`,
    });
};

/** False when it is not there, and nobody is about to make it. */
const isThere = async (parts: Parts, pool: LvmPool, objectName: string, signal: AbortSignal): Promise<boolean> => {
  await requireNoCommand(pool, objectName);
  // one may have ended since the look before
  return (await look(parts, pool, objectName, signal)).volume !== undefined;
};

/** No answer, in use for a moment, or gone meanwhile: the next look tells. */
const PASSING = new Set(['ObjectBusy', 'BackendTimedOut', 'ObjectMissing']);

export const removeVolume = (parts: Parts, pool: LvmPool, object: NamedObject, signal: AbortSignal): Promise<boolean> =>
  parts.lvm.inTurn(pool.vg)(async () => {
    const { objectName } = object;
    const context = { place: pool.place, object: objectName };
    for (let tries = 1; ; tries += 1) {
      const idle = await idleVolume(parts, pool, object, signal);
      if (!idle) {
        if (!(await isThere(parts, pool, objectName, signal))) return tries > 1;
        if (tries < TRIES) continue;
        throw volmoveError('ObjectBusy', { object: objectName, reason: 'somebody makes it again and again' });
      }
      try {
        await parts.lvm.must(['lvremove', '-y', `${pool.vg}/${objectName}`], context, signal);
        return true;
      } catch (error) {
        const { code = '' } = error as { code?: string };
        if (tries === TRIES || !PASSING.has(code)) throw error;
        await settle(parts, signal);
      }
    }
  }, signal);
