import { already, type Decision, refuse, write } from '../decision.ts';
import { type Failure, volmoveError } from '../error.ts';
import { type ObjectRef, type Placement, samePlacement } from '../placement.ts';
import { keptFor } from './retry.ts';
import type { BegunDestination, Claim, MigrationOptions, Outcome, Proof, Retained, Volume } from './volume.ts';

/**
 * Claim, finalize and release: the three writes that decide everything (design section 3). For one run exactly one of
 * finalize and release happens, because both need the claim and both end it.
 */

export interface ClaimCommand {
  readonly migrationId: string;
  readonly run: number;
  readonly destination: Placement;
  readonly options: MigrationOptions;
  /** The outcome that the caller has seen recorded in its migration's item: no claim is given over an unrecorded one. */
  readonly settled: { readonly migrationId: string; readonly run: number } | null;
  readonly nowMs: number;
}

/** The sentence of the standard's rejection; one text for every reason, as its clients know it. */
export const cannotMigrate = (volume: Volume, why: string): ReturnType<typeof volmoveError> =>
  volmoveError('InvalidVolume', {
    reason: `Volume ${volume.id} status must be available or in-use, must not be migrating, have snapshots, be replicated, be part of a group and destination host/cluster must be different than the current one (${why})`,
  });

export const isSettled = (volume: Volume, seen: ClaimCommand['settled']): boolean =>
  volume.lastOutcome === null ||
  (seen?.migrationId === volume.lastOutcome.migrationId && seen.run === volume.lastOutcome.run);

/** Why a volume may not be claimed or restored now; undefined when it may. */
export const unclaimable = (volume: Volume): string | undefined => {
  if (volume.claim) return `migration ${volume.claim.migrationId} is active`;
  if (volume.status !== 'available')
    return `it is ${volume.status}; only an available volume is moved: detach it first`;
  if (volume.attachments.length > 0) return 'it is attached: detach it first';
  if (volume.connections.length > 0) return 'a host still has a connection to it: terminate the connection first';
  if (!volume.location) return 'it has no location';
  return undefined;
};

export const claim =
  (command: ClaimCommand) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.claim?.migrationId === command.migrationId && volume.claim.run === command.run) return already(volume);
    const why = unclaimable(volume);
    if (why !== undefined) return refuse(cannotMigrate(volume, why));
    if (volume.location && samePlacement(volume.location, command.destination)) {
      return refuse(
        cannotMigrate(
          volume,
          `it is there already: ${command.destination.hostId}@${command.destination.backend}#${command.destination.pool}`,
        ),
      );
    }
    if (!isSettled(volume, command.settled)) {
      return refuse(volmoveError('OutcomeUnsettled', { id: volume.lastOutcome?.migrationId ?? '' }));
    }
    const fence = volume.fence + 1;
    const next: Claim = {
      migrationId: command.migrationId,
      run: command.run,
      fence,
      lock: command.options.lock,
      phase: 'moving',
      destination: command.destination,
      options: command.options,
      previousStatus: volume.status,
      rollback: null,
      claimedAtMs: command.nowMs,
    };
    return write({
      ...volume,
      fence,
      claim: next,
      status: next.lock ? 'maintenance' : volume.status,
      migrationStatus: 'starting',
      updatedAtMs: command.nowMs,
    });
  };

/**
 * Ends the claim with an outcome: the volume part that every end has in common. After an error the destination that was asked to
 * be kept for a retry is kept by this write, whoever ended the claim.
 */
export const endClaim = (volume: Volume & { claim: Claim }, outcome: Outcome): Volume => {
  const kept = keptFor(volume.claim, outcome);
  const lastOutcome: Outcome =
    outcome.result === 'error' && kept ? { ...outcome, kept: kept.object.objectName } : outcome;
  return {
    ...volume,
    claim: null,
    fence: volume.fence + 1,
    status: volume.claim.lock && volume.status === 'maintenance' ? volume.claim.previousStatus : volume.status,
    migrationStatus: outcome.result,
    lastOutcome,
    retained: kept ? [...volume.retained, kept] : volume.retained,
    updatedAtMs: outcome.atMs,
  };
};

export interface FinalizeCommand {
  readonly migrationId: string;
  readonly run: number;
  readonly destination: ObjectRef;
  readonly proof: Proof;
  readonly nowMs: number;
}

const outcomeIs = (volume: Volume, migrationId: string, run: number): Outcome | undefined =>
  volume.lastOutcome?.migrationId === migrationId && volume.lastOutcome.run === run ? volume.lastOutcome : undefined;

export const claimLost = (volume: Volume, migrationId: string, run: number): ReturnType<typeof volmoveError> => {
  const outcome = outcomeIs(volume, migrationId, run);
  if (outcome?.result === 'error') return volmoveError('ClaimLost', { reason: outcome.reason.message });
  if (volume.claim)
    return volmoveError('ClaimLost', {
      reason: `run ${volume.claim.run} of migration ${volume.claim.migrationId} holds it`,
    });
  return volmoveError('ClaimLost', { reason: 'nobody holds it' });
};

/** True when the proof speaks of the bytes that the volume has now. */
const proofHolds = (volume: Volume & { claim: Claim }, proof: Proof): boolean => {
  switch (proof.kind) {
    case 'digest':
      return proof.writeEpoch === volume.writeEpoch;
    case 'none':
      return volume.claim.options.verify === 'none' && proof.writeEpoch === volume.writeEpoch;
    case 'backend':
      return volume.claim.phase === 'switching';
  }
};

/** Where the backend has moved the volume by itself nothing is left of the source. */
const sourceKept = (
  { claim, writeEpoch }: Volume & { claim: Claim },
  location: ObjectRef,
  { migrationId, run, nowMs }: FinalizeCommand,
): Retained => ({
  object: location,
  kind: 'source',
  migrationId,
  run,
  expiresAtMs: nowMs + claim.options.sourceRetentionSeconds * 1000,
  writeEpoch,
  ...(claim.options.wipe ? { wipe: true } : {}),
});

export const finalize =
  (command: FinalizeCommand) =>
  (volume: Volume): Decision<Volume> => {
    if (outcomeIs(volume, command.migrationId, command.run)?.result === 'success') return already(volume);
    const { claim: held, location } = volume;
    if (held?.migrationId !== command.migrationId || held.run !== command.run || !location) {
      return refuse(claimLost(volume, command.migrationId, command.run));
    }
    if (held.fence !== volume.fence)
      return refuse(volmoveError('ClaimLost', { reason: 'the volume was given to somebody since it was claimed' }));
    const claimed = { ...volume, claim: held };
    if (!proofHolds(claimed, command.proof)) {
      return refuse(
        volmoveError('NoProof', {
          reason: `the ${command.proof.kind} proof does not speak of what the volume holds now`,
        }),
      );
    }
    const kept = command.proof.kind === 'backend' ? [] : [sourceKept(claimed, location, command)];
    const outcome: Outcome = {
      migrationId: command.migrationId,
      run: command.run,
      atMs: command.nowMs,
      result: 'success',
      proof: command.proof,
      source: location,
    };
    const ended = endClaim(claimed, outcome);
    const { hostId, backend, pool } = command.destination;
    return write({
      ...ended,
      location: command.destination,
      placement: { hostId, backend, pool },
      retained: [...volume.retained, ...kept],
    });
  };

export interface ReleaseCommand {
  readonly migrationId: string;
  readonly run: number;
  readonly reason: Failure;
  /** The backend has said that nothing is left of the move that it had begun. */
  readonly undone?: boolean;
  readonly nowMs: number;
}

/** Finalize's opposite. `already` means that the run's claim has ended, in whichever way `lastOutcome` says. */
export const release =
  (command: ReleaseCommand) =>
  (volume: Volume): Decision<Volume> => {
    const { claim: held } = volume;
    if (held?.migrationId !== command.migrationId || held.run !== command.run) return already(volume);
    if (held.phase === 'switching') return refuse(volmoveError('SwitchingOver', { id: volume.id }));
    if (held.move && !command.undone) return refuse(volmoveError('MoveNotUndone', { hostId: held.move.hostId }));
    const { migrationId, run, reason, nowMs } = command;
    return write(endClaim({ ...volume, claim: held }, { migrationId, run, atMs: nowMs, result: 'error', reason }));
  };

/** LockVolume's and Finalize's marks on the volume: shown, never decided upon. */
export const markMigrationStatus =
  (migrationId: string, run: number, status: 'migrating' | 'completing', nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const { claim: held } = volume;
    if (held?.migrationId !== migrationId || held.run !== run) return refuse(claimLost(volume, migrationId, run));
    if (volume.migrationStatus === status) return already(volume);
    return write({ ...volume, migrationStatus: status, updatedAtMs: nowMs });
  };

/** Before the copy begins, when a failed run's destination is to be kept; no counter moves, so nothing else is affected. */
export const noteBegunDestination =
  (migrationId: string, begun: BegunDestination) =>
  (volume: Volume): Decision<Volume> => {
    const { claim: held } = volume;
    if (held?.migrationId !== migrationId || held.run !== begun.run)
      return refuse(claimLost(volume, migrationId, begun.run));
    if (held.begun?.run === begun.run) return already(volume);
    return write({ ...volume, claim: { ...held, begun } });
  };

const FIRST_PAUSE_MS = 2_000;
const MOST_PAUSE_MS = 10 * 60_000;
/** Runs that follow each other without one: what died with its execution needs no more. */
const RUNS_AT_ONCE = 3;

/**
 * How long a claimed run that has ended is left alone. What only a person can put right (a backend that will not go back from its
 * move) must not be tried again every second.
 */
export const takenOverAtMs = ({ run, raisedAtMs, claimedAtMs }: Claim): number => {
  if (run < RUNS_AT_ONCE) return claimedAtMs;
  return (raisedAtMs ?? claimedAtMs) + Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (run - RUNS_AT_ONCE));
};

/** The reconciler's: a new run takes the claim over, so that a zombie of the old one can do nothing more. */
export const raiseRun =
  (migrationId: string, fromRun: number, rollback: Failure, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const { claim: held } = volume;
    if (held?.migrationId === migrationId && held.run === fromRun + 1) return already(volume);
    if (held?.migrationId !== migrationId || held.run !== fromRun)
      return refuse(claimLost(volume, migrationId, fromRun));
    const fence = volume.fence + 1;
    return write({
      ...volume,
      fence,
      claim: { ...held, run: fromRun + 1, fence, rollback, raisedAtMs: nowMs },
      updatedAtMs: nowMs,
    });
  };
