import { volmoveError } from '../../../domain/error.ts';
import { findPool } from '../../../domain/host/host.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { type Adoption, cannotUnmanage, release } from '../../../domain/volume/adoption.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { isSameObject, managedIn, realPool } from '../../shared/managed.ts';
import { settleLast } from '../../shared/settle-last.ts';

const refusal = (volume: Volume, why: string): Error =>
  volmoveError('CannotUnmanage', { reason: `Volume ${volume.id} cannot be unmanaged: ${why}` });

/** Identity of the pool that the volume lives in; null when it lives nowhere. */
const poolOf = async (deps: Deps, volume: Volume): Promise<string | null> => {
  const { location } = volume;
  if (!location) return null;
  const host = await deps.store.hosts.get(location.hostId);
  const poolId = host && findPool(host, location)?.poolId;
  if (!poolId) throw refusal(volume, `its pool ${formatPlacement(location)} is not reported by its host`);
  return poolId;
};

/** A removal that was begun for it will find that the volume lives on it; without the volume it would go on. */
const requireNoRemoval = async (deps: Deps, volume: Volume, poolId: string): Promise<void> => {
  const { location } = volume;
  if (!location) return;
  const managed = await managedIn(deps)(realPool(await deps.store.hosts.all(), poolId, location));
  const removal = managed.filter(({ state }) => state === 'removes').find(isSameObject(location));
  if (removal) throw refusal(volume, removal.why);
};

/**
 * Said before the volume goes: from then on only this tells the object from a leftover, and keeps a removal out that was begun for
 * the volume and comes late.
 */
const noteReleased = async (deps: Deps, { id, location }: Volume, poolId: string): Promise<void> => {
  if (!location) return;
  const { objectName } = location;
  const note: Adoption = { poolId, objectName, volumeId: id, released: true, atMs: deps.clock.nowMs() };
  const { wrote } = await deps.store.adoptions.create(note);
  if (!wrote) await deps.store.adoptions.apply([poolId, objectName], release(note));
};

const TRIES = 5;

/** One write: the volume's item goes, on condition that nothing speaks against it then. Throws the reason why not. */
export const unmanageVolume =
  (deps: Deps) =>
  async (volumeId: string): Promise<void> => {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const volume = await deps.store.volumes.get(volumeId);
      if (!volume) return;
      const settled = await settleLast(deps)(volume);
      const no = cannotUnmanage(volume, settled);
      if (no) throw no;
      const poolId = await poolOf(deps, volume);
      if (poolId !== null) {
        await requireNoRemoval(deps, volume, poolId);
        await noteReleased(deps, volume, poolId);
      }
      const mayGo = (now: Volume): boolean =>
        now.location?.objectId === volume.location?.objectId && cannotUnmanage(now, settled) === undefined;
      if (await deps.store.volumes.remove([volumeId], mayGo)) return;
    }
    throw volmoveError('Contention', { id: volumeId });
  };
