import { volmoveError } from '../../domain/error.ts';
import type { PrepareInput } from '../../domain/job/job.ts';
import { formatPlacement, type ObjectRef, type Placement } from '../../domain/placement.ts';
import type { CreatedObject, Driver } from '../drivers/contract.ts';
import type { AgentParts, JobHandler } from './context.ts';
import { wipe } from './wipe.ts';

/** Jobs that make and remove objects: under the object journal, so that intents and tombstones are on disk first. */

const make = async (
  parts: AgentParts,
  { objectName, place, sizeBytes }: { objectName: string; place: Placement; sizeBytes: number },
  signal: AbortSignal,
  open: (object: ObjectRef) => Promise<void> = async () => undefined,
  create: (driver: Driver) => Promise<CreatedObject> = (driver) =>
    driver.create({ pool: place.pool, objectName, sizeBytes }, signal),
): Promise<{ object: ObjectRef; made: CreatedObject }> => {
  const driver = parts.backends.get(place);
  return parts.objects.make(objectName, async () => {
    const made = await create(driver);
    const object = { ...place, objectName, objectId: made.objectId, sizeBytes: made.sizeBytes };
    signal.throwIfAborted();
    await open(object);
    return { object, made };
  });
};

export const createVolume: JobHandler<'volume.create'> = async (parts, { job, signal }) => {
  const { object } = await make(parts, job.input, signal);
  return { object };
};

/** What an earlier run has left for this one: that very object, and nobody knows what is on it. */
const find = async (
  { objectName, place, sizeBytes }: PrepareInput,
  existingId: string,
  driver: Driver,
  signal: AbortSignal,
): Promise<CreatedObject> => {
  const found = await driver.find({ pool: place.pool, objectName }, signal);
  if (found?.objectId !== existingId)
    throw volmoveError('ObjectMissing', { object: `${objectName} (${existingId})`, place: formatPlacement(place) });
  if (found.sizeBytes < sizeBytes)
    throw volmoveError('DestinationTooSmall', {
      reason: `${objectName} has ${found.sizeBytes} bytes, ${sizeBytes} are needed`,
    });
  return { ...found, zero: false };
};

/**
 * Ends when the object exists and its export is open to the source's agent. The export is opened before a removal of the object
 * may write its tombstone, or not at all: so the removal's seal finds it.
 */
export const prepareDestination: JobHandler<'destination.prepare'> = async (parts, { job, signal }) => {
  const { migrationId, run } = job;
  if (migrationId === null) throw new TypeError('destination.prepare belongs to a migration');
  const { existingId, admitFingerprint } = job.input;
  const { object, made } = await make(
    parts,
    job.input,
    signal,
    (opened) => parts.exports.admit({ migrationId, run, object: opened, admitFingerprint }),
    existingId === undefined ? undefined : (driver) => find(job.input, existingId, driver, signal),
  );
  return { object, zero: made.zero, address: parts.identity.address, fingerprint: parts.identity.fingerprint };
};

/** The tombstone first, then the seal, then what is on it when that was asked for, then the object. */
export const removeObject: JobHandler<'object.remove'> = async (parts, run) => {
  const { job, signal } = run;
  const { objectName, objectId, place } = job.input;
  const driver = parts.backends.get(place);
  return parts.objects.bury(objectName, async () => {
    await parts.exports.sealObject(objectName);
    const wiped = job.input.wipe ? await wipe(parts, driver, job.input, run) : undefined;
    const existed = await driver.remove({ pool: place.pool, objectName, objectId }, signal);
    return { existed, ...(wiped === undefined ? {} : { wiped }) };
  });
};
