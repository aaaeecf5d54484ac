import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, volmoveError } from '../error.ts';
import { claimLost } from './claim.ts';
import { type ClaimedMove, holdsClaim, type Volume } from './volume.ts';

/**
 * A move that the backend makes by itself is noted on the claim before it begins. From then on the source may be elsewhere than the
 * record says, so the claim ends in one of two ways only: undone first, then released; or switched over, then finalized.
 */
interface OfRun {
  readonly migrationId: string;
  readonly run: number;
}

export const noteMove =
  ({ migrationId, run }: OfRun, move: ClaimedMove) =>
  (volume: Volume): Decision<Volume> => {
    if (!holdsClaim(volume, migrationId, run)) return refuse(claimLost(volume, migrationId, run));
    if (volume.claim.copies) return refuse(volmoveError('ClaimLost', { reason: 'the run copies the volume already' }));
    return volume.claim.move ? already(volume) : write({ ...volume, claim: { ...volume.claim, move } });
  };

/** Let in because the backend's move would have taken its writes along: a copy does not. */
const hasGuest = ({ attachments, connections, status }: Volume): boolean =>
  attachments.length > 0 || connections.length > 0 || !['available', 'maintenance'].includes(status);

/** The backend has not begun it, and will not: the volume is copied instead, unless a guest has come meanwhile. */
export const dropMove =
  ({ migrationId, run }: OfRun) =>
  (volume: Volume): Decision<Volume> => {
    if (!holdsClaim(volume, migrationId, run)) return refuse(claimLost(volume, migrationId, run));
    if (volume.claim.phase === 'switching') return refuse(volmoveError('SwitchingOver', { id: volume.id }));
    if (!volume.claim.move) return already(volume);
    if (hasGuest(volume)) return refuse(volmoveError('ClaimLost', { reason: 'a guest has come to the volume' }));
    const { move: _, ...claim } = volume.claim;
    return write({ ...volume, claim: { ...claim, copies: true } });
  };

/** It has become a copy before the backend was asked: whoever comes late with a move is shut out, as after a refusal. */
export const copyInstead =
  ({ migrationId, run }: OfRun) =>
  (volume: Volume): Decision<Volume> => {
    if (!holdsClaim(volume, migrationId, run)) return refuse(claimLost(volume, migrationId, run));
    if (volume.claim.move) return refuse(volmoveError('ClaimLost', { reason: 'the backend is asked to move it' }));
    return volume.claim.copies ? already(volume) : write({ ...volume, claim: { ...volume.claim, copies: true } });
  };

/** Before the backend is told to go back: from this write on nobody switches over. The first reason stands, whoever goes on with it. */
export const noteUndo =
  ({ migrationId, run }: OfRun, reason: Failure) =>
  (volume: Volume): Decision<Volume> => {
    if (!holdsClaim(volume, migrationId, run)) return refuse(claimLost(volume, migrationId, run));
    const { claim } = volume;
    if (claim.phase === 'switching') return refuse(volmoveError('SwitchingOver', { id: volume.id }));
    if (!claim.move || claim.move.undoing) return already(volume);
    return write({ ...volume, claim: { ...claim, move: { ...claim.move, undoing: reason } } });
  };

/**
 * The point of no return: the backend holds both sides alike, and is told to switch over. Needs the claim as it was given: whoever
 * was let at the volume since has raised its fence.
 */
export const switchOver =
  ({ migrationId, run }: OfRun, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (!holdsClaim(volume, migrationId, run)) return refuse(claimLost(volume, migrationId, run));
    const { claim } = volume;
    if (claim.phase === 'switching') return already(volume);
    if (claim.fence !== volume.fence)
      return refuse(volmoveError('ClaimLost', { reason: 'the volume was given to somebody since it was claimed' }));
    if (!claim.move) return refuse(volmoveError('NoProof', { reason: 'no move of the backend was begun' }));
    if (claim.move.undoing) return refuse(volmoveError('ClaimLost', { reason: 'the backend is going back already' }));
    return write({
      ...volume,
      claim: { ...claim, phase: 'switching' },
      migrationStatus: 'completing',
      updatedAtMs: nowMs,
    });
  };
