import type { ObjectRef, Placement } from '../../domain/placement.ts';
import type { CreatedObject } from '../drivers/contract.ts';
import type { AgentParts, JobHandler } from './context.ts';

/** Jobs that make and remove objects: under the object journal, so that intents and tombstones are on disk first. */

const make = async (
  parts: AgentParts,
  { objectName, place, sizeBytes }: { objectName: string; place: Placement; sizeBytes: number },
  signal: AbortSignal,
  open: (object: ObjectRef) => Promise<void> = async () => undefined,
): Promise<{ object: ObjectRef; made: CreatedObject }> => {
  const driver = parts.backends.get(place);
  return parts.objects.make(objectName, async () => {
    const made = await driver.create({ pool: place.pool, objectName, sizeBytes }, signal);
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

/**
 * Ends when the object exists and its export is open to the source's agent. The export is opened before a removal of the object
 * may write its tombstone, or not at all: so the removal's seal finds it.
 */
export const prepareDestination: JobHandler<'destination.prepare'> = async (parts, { job, signal }) => {
  const { migrationId, run } = job;
  if (migrationId === null) throw new TypeError('destination.prepare belongs to a migration');
  const { object, made } = await make(parts, job.input, signal, (opened) =>
    parts.exports.admit({ migrationId, run, object: opened, admitFingerprint: job.input.admitFingerprint }),
  );
  return { object, zero: made.zero, address: parts.identity.address, fingerprint: parts.identity.fingerprint };
};

/** The tombstone first, then the seal, then the object. */
export const removeObject: JobHandler<'object.remove'> = async (parts, { job, signal }) => {
  const { objectName, objectId, place } = job.input;
  const driver = parts.backends.get(place);
  return parts.objects.bury(objectName, async () => {
    await parts.exports.sealObject(objectName);
    return { existed: await driver.remove({ pool: place.pool, objectName, objectId }, signal) };
  });
};
