import { volmoveError } from '../../../domain/error.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import { type Adoption, takeOverAdoption } from '../../../domain/volume/adoption.ts';
import type { Adopted, Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { isSameObject, managedByVolume, managedIn, realPool } from '../../shared/managed.ts';

/**
 * Takes the object for the volume, in one conditional write on the item of that object (domain/volume/adoption.ts): of two volumes
 * that want it, also through two hosts that serve one pool, one has it and the other is refused. What stands there of a volume that
 * refers to the object no more is taken over. Throws AlreadyManaged; doing it again changes nothing.
 */
export const holdObject =
  (deps: Pick<Deps, 'store' | 'clock'>) =>
  async ({ id: volumeId, adopted: { poolId } }: Volume & { readonly adopted: Adopted }, object: ObjectRef) => {
    const { objectName } = object;
    const pool = realPool(await deps.store.hosts.all(), poolId, object);
    const mine: Adoption = { poolId, objectName, volumeId, atMs: deps.clock.nowMs() };
    const { value: holder } = await deps.store.adoptions.create(mine);
    const holding = holder.volumeId === volumeId ? undefined : await deps.store.volumes.get(holder.volumeId);
    // whoever has taken this item and still wants an object of the pool wants this one, however it asked for it
    const held = holding && managedByVolume(holding, pool).find((m) => m.state === 'wants' || isSameObject(object)(m));
    // an object that was renamed outside, or that is on its way out of the pool
    const others = (await managedIn(deps)(pool)).filter((one) => one.volumeId !== volumeId && one.state !== 'wants');
    const by = held ?? others.find(isSameObject(object));
    if (by) throw volmoveError('AlreadyManaged', { object: objectName, reason: by.why });
    await deps.store.adoptions.apply([poolId, objectName], takeOverAdoption(mine, holder.volumeId));
  };

/** The volume is gone, so its item says nothing any more; what a death leaves of that is taken over one day. */
export const letGoOfObject =
  (deps: Pick<Deps, 'store'>) =>
  async ({ id, adopted }: Volume): Promise<void> => {
    if (!adopted || !('objectName' in adopted.reference)) return;
    await deps.store.adoptions.remove(
      [adopted.poolId, adopted.reference.objectName],
      ({ volumeId }) => volumeId === id,
    );
  };
