import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { endClaim } from './claim.ts';
import type { Attachment, Connection, Volume } from './volume.ts';

/**
 * Requests that give a guest a path to the bytes, or take it away. Each raises `fence` and `writeEpoch` in its own write.
 * On a volume that is being moved without a lock the first of them wins at once: it ends the claim and waits for nothing.
 */

interface GuestPath {
  /** What the request is called in messages and in the migration's outcome. */
  readonly request: string;
  readonly nowMs: number;
}

const locked = (sentence: string): ReturnType<typeof volmoveError> =>
  volmoveError('VolumeLocked', { reason: sentence });

/**
 * Ends an unlocked claim for the guest's sake and raises both counters; refuses while locked or switching over. A backend that moves
 * the volume by itself either has the guest's writes move along, then nothing is to be said to anybody; or the guest has to wait.
 */
const giveWay = (volume: Volume, { request, nowMs }: GuestPath): Decision<Volume> => {
  const raised = (v: Volume): Volume => ({
    ...v,
    fence: v.fence + 1,
    writeEpoch: v.writeEpoch + 1,
    updatedAtMs: nowMs,
  });
  const { claim } = volume;
  if (!claim) return write(raised(volume));
  if (claim.phase === 'switching') return refuse(volmoveError('SwitchingOver', { id: volume.id }));
  if (claim.lock)
    return refuse(
      locked(`Volume ${volume.id} is locked by migration ${claim.migrationId}; ${request} is refused until it ends`),
    );
  if (claim.move?.attachDuringMove === 'safe') return write({ ...volume, updatedAtMs: nowMs });
  if (claim.move) return refuse(volmoveError('MovedByBackend', { id: volume.id, request }));
  const reason = volmoveError('AbortedByAttach', { request }).toFailure();
  const { migrationId, run } = claim;
  return write(raised(endClaim({ ...volume, claim }, { migrationId, run, atMs: nowMs, result: 'error', reason })));
};

const then = (decision: Decision<Volume>, change: (volume: Volume) => Volume): Decision<Volume> =>
  decision.kind === 'write' ? write(change(decision.next)) : decision;

const wrongStatus = (
  volume: Volume,
  verb: 'reserve' | 'connect' | 'attach' | 'detach',
  wanted: string,
): ReturnType<typeof volmoveError> => {
  const reason = `Volume status must be ${wanted} to ${verb}, but the status is ${volume.status}.`;
  if (volume.claim?.lock) return locked(reason);
  return volmoveError(verb === 'detach' ? 'CannotDetach' : 'CannotAttach', { reason });
};

/** os-reserve and attachment create: the first step of an attach. */
export const reserve =
  (nowMs: number, target: 'attaching' | 'reserved' = 'attaching') =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status !== 'available') return refuse(wrongStatus(volume, 'reserve', 'available'));
    return then(giveWay(volume, { request: 'os-reserve', nowMs }), (v) => ({ ...v, status: target }));
  };

/** os-unreserve: ends the connections first; on a volume that is not reserved it does nothing, as the standard has it. */
export const unreserve =
  (nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status !== 'attaching' && volume.status !== 'reserved') return already(volume);
    return write({
      ...volume,
      status: 'available',
      connections: [],
      writeEpoch: volume.writeEpoch + 1,
      updatedAtMs: nowMs,
    });
  };

/** os-initialize_connection: needs a reservation; the answer is made from this write's result, so it names the live location. */
export const connect =
  (connection: Connection) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.connections.some((c) => c.id === connection.id)) return already(volume);
    if (!['attaching', 'reserved', 'in-use', 'detaching'].includes(volume.status)) {
      return refuse(wrongStatus(volume, 'connect', 'attaching, reserved or in-use'));
    }
    if (!volume.location)
      return refuse(volmoveError('InvalidVolume', { reason: `Volume ${volume.id} has no location` }));
    return then(giveWay(volume, { request: 'os-initialize_connection', nowMs: connection.atMs }), (v) => ({
      ...v,
      connections: [...v.connections, connection],
    }));
  };

/** os-terminate_connection: of one host, or of all when none is named. */
export const disconnect =
  (host: string | null, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const connections = host === null ? [] : volume.connections.filter((c) => c.host !== host);
    if (connections.length === volume.connections.length) return already(volume);
    return write({ ...volume, connections, writeEpoch: volume.writeEpoch + 1, updatedAtMs: nowMs });
  };

/** os-attach: records the attachment; from a plain `available` volume it gives way like os-reserve. */
export const attach =
  (attachment: Attachment) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.attachments.some((a) => a.id === attachment.id)) return already(volume);
    if (volume.status === 'maintenance') {
      return refuse(locked('The volume cannot be attached in maintenance mode.'));
    }
    if (!['available', 'attaching', 'reserved'].includes(volume.status)) {
      return refuse(wrongStatus(volume, 'attach', 'available or attaching'));
    }
    return then(giveWay(volume, { request: 'os-attach', nowMs: attachment.atMs }), (v) => ({
      ...v,
      status: 'in-use',
      attachments: [...v.attachments, attachment],
    }));
  };

/** os-begin_detaching */
export const beginDetaching =
  (nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status !== 'in-use') return refuse(wrongStatus(volume, 'detach', 'in-use'));
    return then(giveWay(volume, { request: 'os-begin_detaching', nowMs }), (v) => ({ ...v, status: 'detaching' }));
  };

/** os-roll_detaching */
export const rollDetaching =
  (nowMs: number) =>
  (volume: Volume): Decision<Volume> =>
    volume.status === 'detaching' ? write({ ...volume, status: 'in-use', updatedAtMs: nowMs }) : already(volume);

/** os-detach: ends the connections first, in the same write; the guest may have written, so the epoch moves. */
export const detach =
  (attachmentId: string | null, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.status === 'maintenance') return refuse(locked('The volume cannot be detached in maintenance mode.'));
    if (attachmentId !== null && !volume.attachments.some((a) => a.id === attachmentId)) {
      return refuse(volmoveError('CannotDetach', { reason: `Volume ${volume.id} has no attachment ${attachmentId}` }));
    }
    if (volume.attachments.length === 0)
      return refuse(
        volmoveError('CannotDetach', {
          reason: 'Unable to detach volume. Volume status must be in-use and attach_status must be attached to detach.',
        }),
      );
    if (attachmentId === null && volume.attachments.length > 1) {
      return refuse(
        volmoveError('InvalidVolume', {
          reason: `Detach volume failed: More than one attachment, but no attachment_id provided.`,
        }),
      );
    }
    const attachments = attachmentId === null ? [] : volume.attachments.filter((a) => a.id !== attachmentId);
    const last = attachments.length === 0;
    return write({
      ...volume,
      attachments,
      connections: last ? [] : volume.connections,
      status: last ? 'available' : volume.status,
      writeEpoch: volume.writeEpoch + 1,
      updatedAtMs: nowMs,
    });
  };
