import type { ObjectRef, Placement } from '../../domain/placement.ts';
import type { CreatedObject } from '../drivers/contract.ts';
import type { AgentParts, JobHandler } from './context.ts';

/** Jobs that make and remove objects: under the object journal, so that intents and tombstones are on disk first. */

const make = async (
  parts: AgentParts,
  { objectName, place, sizeBytes }: { objectName: string; place: Placement; sizeBytes: number },
  signal: AbortSignal,
): Promise<{ object: ObjectRef; made: CreatedObject }> => {
  const driver = parts.backends.get(place);
  const made = await parts.objects.make(objectName, () =>
    driver.create({ pool: place.pool, objectName, sizeBytes }, signal),
  );
  return { made, object: { ...place, objectName, objectId: made.objectId, sizeBytes: made.sizeBytes } };
};

export const createVolume: JobHandler<'volume.create'> = async (parts, { job, signal }) => {
  const { object } = await make(parts, job.input, signal);
  return { object };
};

/** Ends when the object exists and its export is open to the source's agent. */
export const prepareDestination: JobHandler<'destination.prepare'> = async (parts, { job, signal }) => {
  const { object, made } = await make(parts, job.input, signal);
  if (job.migrationId === null) throw new TypeError('destination.prepare belongs to a migration');
  await parts.exports.admit({
    migrationId: job.migrationId,
    run: job.run,
    object,
    admitFingerprint: job.input.admitFingerprint,
  });
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
