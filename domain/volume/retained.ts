import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import type { Volume } from './volume.ts';

/** The removal rule as one function: may this object be removed? Asked on a consistent read, and true for ever once true. */
export const removable = (
  volume: Volume | undefined,
  objectName: string,
  madeBy?: { migrationId: string; run: number },
): boolean => {
  if (!volume) return true;
  if (volume.location?.objectName === objectName) return false;
  if (volume.retained.some((r) => r.object.objectName === objectName)) return false;
  return !(madeBy && volume.claim?.migrationId === madeBy.migrationId && volume.claim.run === madeBy.run);
};

/** Takes an object out of `retained[]`; its cleanup entry was written before, so nothing is forgotten in between. */
export const giveUpRetained =
  (objectName: string, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (!volume.retained.some((r) => r.object.objectName === objectName)) return already(volume);
    if (volume.location?.objectName === objectName) {
      return refuse(volmoveError('InvalidVolume', { reason: `${objectName} is where volume ${volume.id} lives` }));
    }
    return write({
      ...volume,
      retained: volume.retained.filter((r) => r.object.objectName !== objectName),
      updatedAtMs: nowMs,
    });
  };
