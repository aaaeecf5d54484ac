import { volmoveError } from '../../../domain/error.ts';
import type { CreatedObject, CreateObject, FoundObject, ObjectName } from '../contract.ts';
import { nameProblem } from './names.ts';
import { activate, foundIn, isOurs, type Looked, look, type Parts, TAG } from './parts.ts';
import type { LvmPool, OnlinePool } from './pool.ts';
import type { LogicalVolume } from './report.ts';
import { illPool, reportedProblem } from './space.ts';

/** Volumes are made and made larger in the turn of their group: what was looked up is still so when LVM is told. */

export const foundObject = ({ uuid, sizeBytes }: LogicalVolume): FoundObject => ({ objectId: uuid, sizeBytes });

/** LVM takes no size that is not of whole sectors, and makes whole extents of every other. */
const roundedUp = (sizeBytes: number, { group }: OnlinePool): number =>
  Math.ceil(sizeBytes / group.extentBytes) * group.extentBytes;

const noSpace = ({ place }: LvmPool, reason: string): Error =>
  volmoveError('NoSpace', { reason: `${place}: ${reason}` });

const requireThinSpace = ({ pool, group }: OnlinePool, thinPool: LogicalVolume, moreBytes: number): void => {
  const problem = reportedProblem(thinPool, pool.full_at_percent);
  if (problem?.kind === 'ill') throw illPool(pool, thinPool.name, problem);
  if (problem) throw noSpace(pool, problem.why);
  const promised = group.volumes
    .filter(({ thinPool: in_ }) => in_ === pool.thin_pool)
    .reduce((sum, v) => sum + v.sizeBytes, 0);
  const most = thinPool.sizeBytes * pool.max_over_subscription_ratio;
  if (promised + moreBytes > most)
    throw noSpace(
      pool,
      `${promised} bytes are promised already; with ${moreBytes} more it would be over its max_over_subscription_ratio of ${pool.max_over_subscription_ratio} (${most} bytes)`,
    );
};

/** LVM would say the same, but in the middle of its work. */
const requireSpace = (online: OnlinePool, moreBytes: number): void => {
  const { pool, group, thinPool } = online;
  if (thinPool) requireThinSpace(online, thinPool, moreBytes);
  else if (moreBytes > group.freeBytes)
    throw noSpace(pool, `volume group ${pool.vg} has ${group.freeBytes} bytes free, ${moreBytes} are needed`);
};

const createArgs = (
  { pool, thinPool }: OnlinePool,
  objectName: string,
  sizeBytes: number,
): readonly [string, ...string[]] => {
  const named = ['--addtag', TAG, '-n', objectName, '-ay'];
  return thinPool
    ? ['lvcreate', '-y', '-V', `${sizeBytes}b`, '-T', `${pool.vg}/${thinPool.name}`, ...named]
    : // what is on its blocks is overwritten or wiped by whoever writes to it; LVM would zero the first 4 KiB and look for signatures
      ['lvcreate', '-y', '-L', `${sizeBytes}b`, '-Wn', '-Zn', ...named, pool.vg];
};

/** True when this call has made it. Of a command that gave no answer only its effect is known, and not whose it is. */
const makeVolume = async (
  parts: Parts,
  { online }: Looked,
  { objectName, sizeBytes }: CreateObject,
  signal: AbortSignal,
): Promise<boolean> => {
  const { pool } = online;
  try {
    await parts.lvm.must(
      createArgs(online, objectName, roundedUp(sizeBytes, online)),
      { place: pool.place, object: objectName },
      signal,
    );
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'BackendTimedOut' && code !== 'NameTaken') throw error;
    const { volume } = await look(parts, pool, objectName, signal);
    if (!volume || !isOurs(volume)) throw error;
    return false;
  }
};

const requireOurs = ({ online, volume, namesake }: Looked, objectName: string): void => {
  if (!namesake || (volume && isOurs(volume))) return;
  const { pool } = online;
  const reason = volume
    ? `the volume ${pool.vg}/${objectName} has not the tag ${TAG}: it is somebody else's`
    : `the group ${pool.vg} has it, and not in this pool`;
  throw volmoveError('NameTaken', { object: objectName, place: pool.place, reason });
};

/** A thin volume reads as zeroes where the pool zeroes new blocks; a thick one holds what was on its blocks before. */
export const createVolume = (
  parts: Parts,
  pool: LvmPool,
  request: CreateObject,
  signal: AbortSignal,
): Promise<CreatedObject> =>
  parts.lvm.inTurn(pool.vg)(async () => {
    const { objectName } = request;
    const problem = nameProblem(pool.vg, objectName);
    if (problem)
      throw volmoveError('BackendRefused', { place: pool.place, reason: `the name ${objectName}: ${problem}` });
    const before = await look(parts, pool, objectName, signal);
    requireOurs(before, objectName);
    let isNew = false;
    if (!before.volume) {
      requireSpace(before.online, roundedUp(request.sizeBytes, before.online));
      isNew = await makeVolume(parts, before, request, signal);
    }
    const after = await look(parts, pool, objectName, signal);
    let volume = foundIn(pool, request, after.volume);
    if (volume.sizeBytes < request.sizeBytes) volume = await enlarge(parts, { ...after, volume }, request, signal);
    await activate(parts, pool, volume, signal);
    return { ...foundObject(volume), zero: isNew && after.online.thinPool?.zeroing === true };
  }, signal);

const enlarge = async (
  parts: Parts,
  { online, volume }: Looked & { readonly volume: LogicalVolume },
  { objectName, sizeBytes }: CreateObject,
  signal: AbortSignal,
): Promise<LogicalVolume> => {
  const { pool } = online;
  requireSpace(online, roundedUp(sizeBytes, online) - volume.sizeBytes);
  const args = ['lvextend', '-y', '-L', `${roundedUp(sizeBytes, online)}b`, `${pool.vg}/${objectName}`] as const;
  try {
    await parts.lvm.must(args, { place: pool.place, object: objectName }, signal);
  } catch (error) {
    if ((error as { code?: string }).code !== 'BackendTimedOut') throw error;
    const { volume: now } = await look(parts, pool, objectName, signal);
    if (!now || now.sizeBytes < sizeBytes) throw error;
  }
  const { volume: now } = await look(parts, pool, objectName, signal);
  return foundIn(pool, { pool: pool.name, objectName }, now);
};

export const extendVolume = (
  parts: Parts,
  pool: LvmPool,
  object: ObjectName & { readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<FoundObject> =>
  parts.lvm.inTurn(pool.vg)(async () => {
    const looked = await look(parts, pool, object.objectName, signal);
    const volume = foundIn(pool, object, looked.volume);
    if (volume.sizeBytes >= object.sizeBytes) return foundObject(volume);
    return foundObject(await enlarge(parts, { ...looked, volume }, object, signal));
  }, signal);
