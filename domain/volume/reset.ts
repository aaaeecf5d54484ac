import { addCleanup } from '../cleanup.ts';
import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { endClaim } from './claim.ts';
import { createLeftover } from './lifecycle.ts';
import { MIGRATION_STATUSES, type MigrationStatus, type Volume, type VolumeStatus } from './volume.ts';

export interface ResetStatus {
  readonly status?: VolumeStatus;
  readonly attachStatus?: 'attached' | 'detached';
  /** null clears it. */
  readonly migrationStatus?: MigrationStatus;
  readonly nowMs: number;
}

/** A create that is given up may still make its object: an entry stands for it from this write on. */
const abandonsCreate = (volume: Volume, { status }: ResetStatus): boolean =>
  volume.status === 'creating' && status !== undefined && status !== 'creating' && volume.location === null;

/**
 * os-reset_status: an administrator's word against the record. It ends a claim in the same write as its effect, so a
 * migration can never go on behind it; it never touches the location. What a backend has begun by itself is undone first.
 */
export const resetStatus =
  (command: ResetStatus) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.claim?.phase === 'switching') return refuse(volmoveError('SwitchingOver', { id: volume.id }));
    // a guest that is let in then finds nothing where the record says that the volume is
    if (volume.claim?.move) return refuse(volmoveError('MoveNotUndone', { hostId: volume.claim.move.hostId }));
    const attachments = command.attachStatus === 'detached' ? [] : volume.attachments;
    if (command.status === 'in-use' && attachments.length === 0) {
      return refuse(
        volmoveError('InvalidVolume', { reason: `Volume ${volume.id} has no attachment, so it cannot be in-use` }),
      );
    }
    if (command.status === 'available' && !volume.location) {
      return refuse(
        volmoveError('InvalidVolume', {
          reason: `Volume ${volume.id} has no object behind it, so it cannot be available`,
        }),
      );
    }
    if (command.status === 'creating' && volume.location) {
      return refuse(
        volmoveError('InvalidVolume', {
          reason: `Volume ${volume.id} has its object already, so it cannot be creating`,
        }),
      );
    }
    const { nowMs } = command;
    const released = volume.claim
      ? endClaim(
          { ...volume, claim: volume.claim },
          {
            migrationId: volume.claim.migrationId,
            run: volume.claim.run,
            atMs: nowMs,
            result: 'error',
            reason: volmoveError('AbortedByReset', {}).toFailure(),
          },
        )
      : volume;
    const next: Volume = {
      ...released,
      status: command.status ?? released.status,
      attachments,
      connections: command.attachStatus === 'detached' ? [] : released.connections,
      migrationStatus: command.migrationStatus === undefined ? released.migrationStatus : command.migrationStatus,
      cleanup: abandonsCreate(volume, command) ? addCleanup(volume.cleanup, [createLeftover(volume)]) : volume.cleanup,
      fence: released.fence + 1,
      writeEpoch: released.writeEpoch + 1,
      updatedAtMs: nowMs,
    };
    const same =
      !volume.claim &&
      next.status === volume.status &&
      next.migrationStatus === volume.migrationStatus &&
      attachments.length === volume.attachments.length &&
      next.connections.length === volume.connections.length;
    return same ? already(volume) : write(next);
  };

/** The names that os-reset_status takes for migration_status; 'none' is stored as null. */
export const RESET_MIGRATION_STATUSES = [...MIGRATION_STATUSES, 'none'] as const;
