import { addCleanup, type CleanupEntry, changeCleanup, cleanupDone, newCleanup, tryNow } from '../cleanup.ts';
import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, volmoveError } from '../error.ts';
import { createdObjectName } from '../names.ts';
import type { ObjectRef, Placement } from '../placement.ts';
import { entryOf, removable } from './retained.ts';
import type { Volume } from './volume.ts';

export interface NewVolume {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly placement: Placement;
  readonly nowMs: number;
}

/** A volume that was asked for and whose object is still to be made by its first operation. */
export const newVolume = ({ nowMs, ...asked }: NewVolume): Volume => ({
  ...asked,
  status: 'creating',
  migrationStatus: null,
  location: null,
  claim: null,
  lastOutcome: null,
  connections: [],
  attachments: [],
  retained: [],
  cleanup: [],
  fence: 0,
  writeEpoch: 0,
  operation: 1,
  lastError: null,
  createdAtMs: nowMs,
  updatedAtMs: nowMs,
});

/** Record: the object exists; the volume lives there from this write on. */
export const recordCreated =
  (operation: number, location: ObjectRef, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.location?.objectName === location.objectName && volume.status !== 'creating') return already(volume);
    if (volume.status !== 'creating' || volume.operation !== operation || volume.location !== null) {
      return refuse(volmoveError('InvalidVolume', { reason: `Volume ${volume.id} is ${volume.status}, not creating` }));
    }
    return write({ ...volume, status: 'available', location, lastError: null, updatedAtMs: nowMs });
  };

/** What the volume's present create has made, or may still make. */
export const createLeftover = (volume: Volume): CleanupEntry =>
  newCleanup({ objectName: createdObjectName(volume.id, volume.operation), ...volume.placement }, 'volume');

/** RecordError of a create: what may have been made goes into cleanup, as its answer may only have been lost. */
export const recordCreateFailed =
  (operation: number, failure: Failure, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status !== 'creating' || volume.operation !== operation) return already(volume);
    return write({
      ...volume,
      status: 'error',
      lastError: failure,
      cleanup: addCleanup(volume.cleanup, [createLeftover(volume)]),
      updatedAtMs: nowMs,
    });
  };

/** Of one that could not be taken over nothing is removed: it has no location. */
const DELETABLE = ['available', 'error', 'error_deleting', 'error_managing'];

/** DELETE: gives up the location and every retained object in one write; the item stays until they are gone. */
export const requestDelete =
  (nowMs: number, force = false) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status === 'deleting') return already(volume);
    if (volume.claim) {
      return refuse(
        volmoveError('VolumeClaimed', {
          reason: `Volume ${volume.id} is being moved by migration ${volume.claim.migrationId}`,
        }),
      );
    }
    if (
      (!force && !DELETABLE.includes(volume.status)) ||
      volume.attachments.length > 0 ||
      volume.connections.length > 0
    ) {
      return refuse(
        volmoveError('CannotDelete', {
          reason: `Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer. (it is ${volume.status})`,
        }),
      );
    }
    const given = [
      ...(volume.location ? [newCleanup(volume.location, 'volume')] : []),
      ...volume.retained.map((kept) => entryOf(kept, 'volume')),
    ];
    // a create that is given up may still make its object
    const unmade = volume.status === 'creating' ? [createLeftover(volume)] : [];
    return write({
      ...volume,
      status: 'deleting',
      operation: volume.operation + 1,
      location: null,
      retained: [],
      cleanup: addCleanup(volume.cleanup.map(tryNow), [...given, ...unmade]),
      fence: volume.fence + 1,
      writeEpoch: volume.writeEpoch + 1,
      updatedAtMs: nowMs,
    });
  };

/** An object of the volume that nobody has an entry for; refused while the volume refers to it. */
export const addVolumeCleanup =
  (entry: CleanupEntry, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const cleanup = addCleanup(volume.cleanup, [entry]);
    if (cleanup.length === volume.cleanup.length) return already(volume);
    if (!removable(volume, entry.objectName))
      return refuse(volmoveError('InvalidVolume', { reason: `Volume ${volume.id} refers to ${entry.objectName}` }));
    return write({ ...volume, cleanup, updatedAtMs: nowMs });
  };

/** One step of one cleanup entry of the volume: a try dispatched, failed or done. */
export const changeVolumeCleanup =
  (objectName: string, change: (entry: CleanupEntry) => CleanupEntry, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const entry = volume.cleanup.find((e) => e.objectName === objectName);
    if (entry?.state !== 'todo' || change(entry) === entry) return already(volume);
    return write({ ...volume, cleanup: changeCleanup(volume.cleanup, objectName, change), updatedAtMs: nowMs });
  };

export const recordDeleteFailed =
  (operation: number, failure: Failure, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status !== 'deleting' || volume.operation !== operation) return already(volume);
    return write({ ...volume, status: 'error_deleting', lastError: failure, updatedAtMs: nowMs });
  };

/** True when nothing is left of a deleted volume, so that its item may go. */
export const isGone = (volume: Volume): boolean =>
  (volume.status === 'deleting' || volume.status === 'error_deleting') &&
  volume.location === null &&
  cleanupDone(volume.cleanup);
