import { volmoveError } from '../../../domain/error.ts';
import { findPool, isUp } from '../../../domain/host/host.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { cannotRestore, restore } from '../../../domain/volume/restore.ts';
import { keptSource } from '../../../domain/volume/retained.ts';
import type { Retained, Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { writeCleanupEntry } from '../../shared/leave-kept.ts';
import { settleLast } from '../../shared/settle-last.ts';
import { findMigration } from './find.ts';

export interface RestoreVolume {
  /** The one whose source is kept. */
  readonly migrationId: string;
  /** Gives up what may have been written since that migration. */
  readonly discardChanges: boolean;
  readonly by: string;
}

/**
 * What the volume lives on now is removed by a restore, so nobody goes back to a source that cannot be looked at: its host may
 * never come back.
 */
const requireReachable = async (deps: Deps, volumeId: string, { object }: Retained): Promise<void> => {
  const place = formatPlacement(object);
  const host = await deps.store.hosts.get(object.hostId);
  if (!host || !isUp(host, deps.clock.nowMs()))
    throw cannotRestore(volumeId, `its source is in ${place}, whose host is down: start its agent first`);
  const pool = findPool(host, object);
  if (pool?.state !== 'up')
    throw cannotRestore(
      volumeId,
      `its source is in ${place}, which is offline: ${pool?.reason ?? 'it is not reported'}`,
    );
};

const requireSuccess = ({ id, volumeId, stage }: Migration): void => {
  if (stage.state !== 'succeeded')
    throw cannotRestore(volumeId, `migration ${id} has not succeeded, so it has left no source`);
};

const volumeOf = async (deps: Deps, { volumeId }: Migration): Promise<Volume> => {
  const volume = await deps.store.volumes.get(volumeId);
  if (!volume) throw volmoveError('VolumeNotFound', { id: volumeId });
  return volume;
};

/** Told in the migration at once; who dies before leaves it to the sweeper, which does it before it lets go of what was left. */
const tell = async (deps: Deps, { id }: Migration, { retained }: Volume): Promise<void> => {
  const left = retained.find((kept) => kept.migrationId === id && kept.restored);
  if (left) await writeCleanupEntry(deps)(left);
};

/**
 * Brings a volume back to the source that its migration has left. Everything is decided by one write on the volume; asked again
 * when that stands it changes nothing. Throws CannotRestore, VolumeClaimed and ChangesSinceMigration with the reason.
 */
export const restoreVolume =
  (deps: Deps) =>
  async ({ migrationId, discardChanges, by }: RestoreVolume): Promise<Migration> => {
    const asked = await findMigration(deps)(migrationId);
    const volume = await volumeOf(deps, asked);
    const settled = await settleLast(deps)(volume);
    const migration = await findMigration(deps)(migrationId);
    requireSuccess(migration);
    const kept = keptSource(volume, migrationId);
    if (kept) await requireReachable(deps, volume.id, kept);
    const { source } = migration;
    const nowMs = deps.clock.nowMs();
    const rule = restore({ migrationId, source, settled, discardChanges, by, nowMs });
    const { value } = await deps.store.volumes.apply([volume.id], rule);
    await tell(deps, migration, value);
    return findMigration(deps)(migrationId);
  };
