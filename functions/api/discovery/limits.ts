import { sizeGib } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from '../http/exchange.ts';

/** Limits as the standard shows them; volmove sets none, so each is -1, and it tells what the project uses. */

const NO_LIMIT = -1;

export const showLimits =
  (deps: Deps) =>
  async ({ caller }: ApiRequest): Promise<Reply> => {
    const mine = (await deps.store.volumes.all()).filter((volume) => volume.projectId === caller.projectId);
    const absolute = {
      maxTotalVolumes: NO_LIMIT,
      maxTotalVolumeGigabytes: NO_LIMIT,
      maxTotalSnapshots: NO_LIMIT,
      maxTotalBackups: NO_LIMIT,
      maxTotalBackupGigabytes: NO_LIMIT,
      totalVolumesUsed: mine.length,
      totalGigabytesUsed: mine.reduce((sum, volume) => sum + sizeGib(volume), 0),
      totalSnapshotsUsed: 0,
      totalBackupsUsed: 0,
      totalBackupGigabytesUsed: 0,
    };
    return { status: 200, body: { limits: { rate: [], absolute } } };
  };
