import { type Decision, refuse } from '../decision.ts';
import type { ObjectRef } from '../placement.ts';
import { formatPlacement } from '../placement.ts';
import { type ClaimCommand, cannotMigrate, claim } from './claim.ts';
import { carryOn, keptDestination } from './retry.ts';
import type { Volume } from './volume.ts';

export interface RetryClaim extends ClaimCommand {
  /** Where the migration starts from. */
  readonly source: ObjectRef;
}

/** Undefined while the volume is where the migration starts from. */
export const whyMovedAway = ({ location }: Volume, source: ObjectRef): string | undefined =>
  location && location.objectName !== source.objectName
    ? `it is not what this migration starts from any more: it lives at ${formatPlacement(location)} now, ask for a new migration`
    : undefined;

/** The claim of a migration's next run: refused like any other, and with what the run before has left for it. */
export const claimForRetry =
  (command: RetryClaim) =>
  (volume: Volume): Decision<Volume> => {
    const away = volume.claim ? undefined : whyMovedAway(volume, command.source);
    if (away !== undefined) return refuse(cannotMigrate(volume, away));
    const decision = claim(command)(volume);
    const kept = keptDestination(volume, command.migrationId, command.nowMs);
    if (decision.kind !== 'write' || !decision.next.claim || !kept) return decision;
    return { kind: 'write', next: carryOn({ ...decision.next, claim: decision.next.claim }, kept) };
  };
