import { findPool } from '../../domain/host/host.ts';
import { formatPlacement, type Placement } from '../../domain/placement.ts';
import type { Adoption } from '../../domain/volume/adoption.ts';
import type { Deps } from './deps.ts';

/** Objects that were given up with their volume (os-unmanage), or taken over by another since: nobody of ours removes them. */

interface Found {
  readonly place: Placement;
  readonly object: { readonly objectName: string };
}

type Store = Pick<Deps, 'store'>;

const poolIdsOf = async (deps: Store, places: readonly Placement[]): Promise<Map<string, string>> => {
  const hosts = new Map((await deps.store.hosts.all()).map((host) => [host.id, host]));
  return new Map(
    places.map((place) => {
      const host = hosts.get(place.hostId);
      return [formatPlacement(place), (host && findPool(host, place)?.poolId) ?? ''];
    }),
  );
};

/** A note whose volume is still there was written by a request that did not come to its end. */
const standing = async (deps: Store, notes: readonly Adoption[]): Promise<Adoption[]> => {
  const released = notes.filter((note) => note.released);
  const there = await deps.store.volumes.getMany(released.map(({ volumeId }): [string] => [volumeId]));
  const ids = new Set(there.map(({ id }) => id));
  return released.filter(({ volumeId }) => !ids.has(volumeId));
};

export const releasedAmong =
  (deps: Store) =>
  async (found: readonly Found[]): Promise<(one: Found) => boolean> => {
    if (found.length === 0) return () => false;
    const pools = await poolIdsOf(
      deps,
      found.map(({ place }) => place),
    );
    const keyOf = ({ place, object }: Found): [string, string] => [
      pools.get(formatPlacement(place)) ?? '',
      object.objectName,
    ];
    const notes = await standing(deps, await deps.store.adoptions.getMany(found.map(keyOf)));
    const released = new Set(notes.map((one) => `${one.poolId} ${one.objectName}`));
    return (one) => released.has(keyOf(one).join(' '));
  };

/** Asked before a removal of a volume that is gone: usually its objects went first, unless it was unmanaged. */
export const isSomebodyElses =
  (deps: Store) =>
  async (
    { objectName, placement }: { readonly objectName: string; readonly placement: Placement },
    volumeId: string,
  ): Promise<boolean> => {
    const pools = await poolIdsOf(deps, [placement]);
    const note = await deps.store.adoptions.get(pools.get(formatPlacement(placement)) ?? '', objectName);
    return note !== undefined && (note.released === true || note.volumeId !== volumeId);
  };
