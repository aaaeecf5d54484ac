import type { ErrorCode } from '../error-catalogue.ts';
import type { BegunDestination, Claim, Outcome, Retained, Volume } from './volume.ts';

/**
 * What a failed run leaves for its retry (design section 3): the destination that it has begun to write goes into `retained[]`
 * with the write that ends its claim, and out of it again with the write that claims the retry.
 */

/** True while the run that holds the claim writes to the object, or goes on with it. */
export const isDestinationOf = ({ carriesOn, begun, move }: Claim, objectName: string): boolean =>
  carriesOn?.object.objectName === objectName ||
  begun?.object.objectName === objectName ||
  move?.destination.objectName === objectName;

/** What was kept is of no use: it has gone, or the volume has outgrown it. The next retry begins anew. */
const USELESS: readonly ErrorCode[] = ['ObjectMissing', 'DestinationTooSmall'];

/** A retry that never got to its copy gives back what it took, as it was. */
export const keptFor = (claim: Claim, outcome: Outcome): Retained | undefined => {
  if (outcome.result === 'success') return undefined;
  const left = claim.begun ?? (USELESS.includes(outcome.reason.code) ? undefined : claim.carriesOn);
  const { destinationRetentionSeconds: seconds = 0 } = claim.options;
  if (!left || seconds === 0) return undefined;
  const expiresAtMs = outcome.atMs + seconds * 1000;
  return { ...left, kind: 'destination', migrationId: claim.migrationId, expiresAtMs };
};

/** What a retry of the migration would go on with; undefined: it begins anew. */
export const keptDestination = (
  { retained }: Pick<Volume, 'retained'>,
  migrationId: string,
  nowMs: number,
): Retained | undefined =>
  retained.find((kept) => kept.kind === 'destination' && kept.migrationId === migrationId && kept.expiresAtMs > nowMs);

/** The claim that goes on with what was kept, which leaves `retained[]` by the same write. */
export const carryOn = (volume: Volume & { claim: Claim }, kept: Retained): Volume => {
  const { object, run, writeEpoch } = kept;
  const carriesOn: BegunDestination = { object, run, writeEpoch };
  return {
    ...volume,
    retained: volume.retained.filter((other) => other.object.objectName !== object.objectName),
    claim: { ...volume.claim, carriesOn },
  };
};
