import { already, type Decision, refuse, write } from '../decision.ts';
import { type VolmoveError, volmoveError } from '../error.ts';
import type { ObjectRef } from '../placement.ts';
import { type ClaimCommand, isSettled, unclaimable } from './claim.ts';
import { isExpired, keptSource } from './retained.ts';
import type { Retained, Volume } from './volume.ts';

/** Restore: the volume goes back to the source that a migration has left, while that is kept (design section 3). */

export interface RestoreCommand {
  readonly migrationId: string;
  /** The migration's. */
  readonly source: Pick<ObjectRef, 'objectName'>;
  /** The outcome that the caller has seen recorded in its migration's item, as for a claim. */
  readonly settled: ClaimCommand['settled'];
  /** Gives up what may have been written since the source was left. */
  readonly discardChanges: boolean;
  readonly by: string;
  readonly nowMs: number;
}

export const cannotRestore = (id: string, reason: string): VolmoveError =>
  volmoveError('CannotRestore', { id, reason });

/** Why the volume may not leave where it lives now; undefined when it may. */
const tied = (volume: Volume): VolmoveError | undefined => {
  if (volume.claim) {
    const { migrationId } = volume.claim;
    return volmoveError('VolumeClaimed', { reason: `Volume ${volume.id} is being moved by migration ${migrationId}` });
  }
  const why = unclaimable(volume);
  return why === undefined ? undefined : cannotRestore(volume.id, why);
};

const unfit = (volume: Volume, kept: Retained, command: RestoreCommand): VolmoveError | undefined => {
  if (!isSettled(volume, command.settled)) {
    return volmoveError('OutcomeUnsettled', { id: volume.lastOutcome?.migrationId ?? '' });
  }
  if (kept.object.sizeBytes < volume.sizeBytes) {
    const sizes = `its source has ${kept.object.sizeBytes} bytes, the volume has ${volume.sizeBytes} now`;
    return cannotRestore(volume.id, `${sizes}; the source would cut it short`);
  }
  if (kept.writeEpoch !== volume.writeEpoch && !command.discardChanges) {
    return volmoveError('ChangesSinceMigration', { id: volume.id, migrationId: command.migrationId });
  }
  return undefined;
};

/**
 * One write: the source becomes the location, and what the volume lived on is kept with its time over, so that it goes the way of
 * everything that is kept: its cleanup entry first. Restore and expiry both need the source's entry, so only one of them has it.
 */
export const restore =
  (command: RestoreCommand) =>
  (volume: Volume): Decision<Volume> => {
    const { migrationId, source, by, nowMs } = command;
    if (volume.location?.objectName === source.objectName) return already(volume);
    const kept = keptSource(volume, migrationId);
    if (!kept) return refuse(cannotRestore(volume.id, `the source of migration ${migrationId} is not kept any more`));
    if (isExpired(kept, nowMs)) {
      const until = new Date(kept.expiresAtMs).toISOString();
      return refuse(cannotRestore(volume.id, `its source was kept until ${until}, and is being removed`));
    }
    const no = tied(volume) ?? unfit(volume, kept, command);
    if (no) return refuse(no);
    if (!volume.location) return refuse(cannotRestore(volume.id, 'it has no location'));
    const left: Retained = {
      object: volume.location,
      kind: 'destination',
      migrationId,
      run: kept.run,
      expiresAtMs: nowMs,
      writeEpoch: volume.writeEpoch,
      ...(kept.wipe ? { wipe: true } : {}),
      restored: { atMs: nowMs, by, discarded: kept.writeEpoch !== volume.writeEpoch },
    };
    const { hostId, backend, pool } = kept.object;
    return write({
      ...volume,
      location: kept.object,
      placement: { hostId, backend, pool },
      retained: [...volume.retained.filter((one) => one !== kept), left],
      fence: volume.fence + 1,
      writeEpoch: volume.writeEpoch + 1,
      migrationStatus: null,
      updatedAtMs: nowMs,
    });
  };
