import { type CleanupEntry, newCleanup } from '../cleanup.ts';
import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { isDestinationOf } from './retry.ts';
import type { Retained, Volume } from './volume.ts';

/** The removal rule as one function: may this object be removed? Asked on a consistent read, and true for ever once true. */
export const removable = (
  volume: Volume | undefined,
  objectName: string,
  madeBy?: { migrationId: string; run: number },
): boolean => {
  if (!volume) return true;
  if (volume.location?.objectName === objectName) return false;
  if (volume.retained.some((r) => r.object.objectName === objectName)) return false;
  if (volume.claim && isDestinationOf(volume.claim, objectName)) return false;
  return !(madeBy && volume.claim?.migrationId === madeBy.migrationId && volume.claim.run === madeBy.run);
};

/** The source that a migration has left and the volume may go back to. */
export const keptSource = ({ retained }: Volume, migrationId: string): Retained | undefined =>
  retained.find((kept) => kept.kind === 'source' && kept.migrationId === migrationId);

export const isExpired = (kept: Retained, nowMs: number): boolean => kept.expiresAtMs <= nowMs;

/** The cleanup entry of an object that is kept no longer. */
export const entryOf = (kept: Retained, role: CleanupEntry['role'] = kept.kind): CleanupEntry => ({
  ...newCleanup(kept.object, role, role === 'destination' ? kept.run : null),
  ...(kept.wipe ? { wipe: true } : {}),
});

/**
 * Takes an object out of `retained[]` when its time is over; its cleanup entry was written before, so nothing is forgotten in
 * between. An entry may be of an earlier time: an object that was restored and left again is kept for its new time.
 */
export const giveUpRetained =
  (objectName: string, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    const kept = volume.retained.find((r) => r.object.objectName === objectName);
    if (!kept) return already(volume);
    if (volume.location?.objectName === objectName) {
      return refuse(volmoveError('InvalidVolume', { reason: `${objectName} is where volume ${volume.id} lives` }));
    }
    if (!isExpired(kept, nowMs)) return already(volume);
    return write({
      ...volume,
      retained: volume.retained.filter((r) => r.object.objectName !== objectName),
      updatedAtMs: nowMs,
    });
  };
