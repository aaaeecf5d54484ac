import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, type VolmoveError, volmoveError } from '../error.ts';
import type { ObjectRef, ObjectReference } from '../placement.ts';
import { isSettled } from './claim.ts';
import { type NewVolume, newVolume } from './lifecycle.ts';
import type { Adopted, Volume } from './volume.ts';

/** Volumes that were made outside: taken over by a volume of ours, and given up again (manage, unmanage). */

/**
 * Who has taken over the object of that name in that pool: one item, so that of two that want it one write wins. By the name,
 * because that is what drivers open. It only counts while its volume refers to the object: whoever finds that it does not may
 * take it over. That stays true once it is true, as a volume takes over one object, once.
 */
export interface Adoption {
  readonly poolId: string;
  readonly objectName: string;
  readonly volumeId: string;
  /** Given up with its volume, and left where it is: it may look like a leftover, and is none. */
  readonly released?: true;
  readonly atMs: number;
}

/** `freed`: the volume that was seen to refer to the object no more. */
export const takeOverAdoption =
  (mine: Adoption, freed: string) =>
  (now: Adoption): Decision<Adoption> => {
    if (now.volumeId === mine.volumeId) return already(now);
    if (now.volumeId !== freed) {
      const reason = `volume ${now.volumeId} takes it over`;
      return refuse(volmoveError('AlreadyManaged', { object: mine.objectName, reason }));
    }
    return write(mine);
  };

/** Its volume is about to go, and the object stays. Somebody else's by now: nothing to say. */
export const release =
  (mine: Adoption) =>
  (now: Adoption): Decision<Adoption> =>
    now.released || now.volumeId !== mine.volumeId ? already(now) : write(mine);

/** A volume that is to take over what others have made; how large that is, its host's agent will tell. */
export const newAdoptedVolume = ({
  adopted,
  ...asked
}: Omit<NewVolume, 'sizeBytes'> & { readonly adopted: Adopted }): Volume => ({
  ...newVolume({ ...asked, sizeBytes: 0 }),
  status: 'managing',
  adopted,
});

export const referenceText = (reference: ObjectReference): string =>
  'objectName' in reference ? reference.objectName : reference.objectId;

/** Record: the volume lives on what it was asked to take over, which keeps its name; nothing that was known before counts. */
export const recordAdopted =
  (operation: number, object: ObjectRef, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.location?.objectId === object.objectId && volume.status !== 'managing') return already(volume);
    if (volume.status !== 'managing' || volume.operation !== operation) {
      return refuse(volmoveError('InvalidVolume', { reason: `Volume ${volume.id} is ${volume.status}, not managing` }));
    }
    return write({
      ...volume,
      status: 'available',
      location: { ...object, adoptedBy: volume.id },
      sizeBytes: object.sizeBytes,
      ...(volume.adopted ? { adopted: { ...volume.adopted, reference: { objectName: object.objectName } } } : {}),
      writeEpoch: volume.writeEpoch + 1,
      lastError: null,
      updatedAtMs: nowMs,
    });
  };

/** RecordError: nothing was changed in the pool, so nothing has to be removed there. */
export const recordAdoptFailed =
  (operation: number, failure: Failure, nowMs: number) =>
  (volume: Volume): Decision<Volume> =>
    volume.status === 'managing' && volume.operation === operation
      ? write({ ...volume, status: 'error_managing', lastError: failure, updatedAtMs: nowMs })
      : already(volume);

/** Why a volume may not be given up now; undefined when it may. */
const tied = (volume: Volume): string | undefined => {
  if (volume.attachments.length > 0) return 'it is attached: detach it first';
  if (volume.connections.length > 0) return 'a host still has a connection to it: terminate the connection first';
  const [kept] = volume.retained;
  if (kept) return `${kept.object.objectName} of migration ${kept.migrationId} is kept for it`;
  const left = volume.cleanup.find((entry) => entry.state === 'todo');
  if (left) return `${left.objectName} is still to be removed for it`;
  if (!['available', 'error', 'error_managing'].includes(volume.status)) return `it is ${volume.status}`;
  return undefined;
};

/**
 * Unmanage is the removal of the volume's item, on condition that this finds nothing: then nothing of ours refers to its object,
 * which stays where it is. `settled` as for a claim: the last migration's outcome stands on the volume alone until it is recorded.
 */
export const cannotUnmanage = (
  volume: Volume,
  settled: { readonly migrationId: string; readonly run: number } | null,
): VolmoveError | undefined => {
  if (volume.claim) {
    const reason = `Volume ${volume.id} is being moved by migration ${volume.claim.migrationId}`;
    return volmoveError('VolumeClaimed', { reason });
  }
  const why = tied(volume);
  if (why !== undefined) {
    const rule = 'status must be available or error or error_managing and must not be migrating or attached';
    return volmoveError('CannotUnmanage', { reason: `Volume ${volume.id} ${rule} to be unmanaged (${why})` });
  }
  if (!isSettled(volume, settled))
    return volmoveError('OutcomeUnsettled', { id: volume.lastOutcome?.migrationId ?? '' });
  return undefined;
};
