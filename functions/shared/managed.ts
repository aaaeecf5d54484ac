import type { CleanupEntry } from '../../domain/cleanup.ts';
import { type Host, poolsOf } from '../../domain/host/host.ts';
import { formatPlacement, type Placement } from '../../domain/placement.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';

/** What volmove refers to in one pool, whichever host serves it: an object that is among it is nobody else's to take over. */
export interface Managed {
  readonly volumeId: string;
  /** `wants`: the volume is to take it over and does not have it yet; of its name and id only one may be known then. */
  readonly state: 'has' | 'wants' | 'removes';
  readonly objectName?: string | undefined;
  readonly objectId?: string | undefined;
  readonly why: string;
}

interface Named {
  readonly objectName: string;
  readonly objectId?: string | null;
}

/** One real pool: hosts that serve the same share report the same identity. */
export interface RealPool {
  readonly poolId: string;
  readonly isHere: (place: Placement) => boolean;
}

export const realPool = (hosts: readonly Host[], poolId: string, place: Placement): RealPool => {
  const same = hosts.flatMap(poolsOf).filter(({ pool }) => pool.poolId === poolId);
  const places = new Set([place, ...same.map((one) => one.place)].map(formatPlacement));
  return { poolId, isHere: (where) => places.has(formatPlacement(where)) };
};

const refers = (volumeId: string, state: 'has' | 'removes', { objectName, objectId }: Named, why: string): Managed => ({
  volumeId,
  state,
  objectName,
  objectId: objectId ?? undefined,
  why,
});

const removed = (entries: readonly CleanupEntry[], { isHere }: RealPool, volumeId: string, by: string): Managed[] =>
  entries
    .filter((entry) => entry.state === 'todo' && isHere(entry.placement))
    .map((entry) => refers(volumeId, 'removes', entry, `it is being removed for ${by}`));

export const managedByVolume = (volume: Volume, pool: RealPool): Managed[] => {
  const { id, adopted, location, status } = volume;
  const kept = volume.retained.filter(({ object }) => pool.isHere(object));
  const why = `volume ${id} takes it over`;
  return [
    ...(location && pool.isHere(location) ? [refers(id, 'has', location, `volume ${id} lives on it`)] : []),
    ...kept.map(({ object }) => refers(id, 'has', object, `volume ${id} keeps it`)),
    ...removed(volume.cleanup, pool, id, `volume ${id}`),
    ...(status === 'managing' && adopted?.poolId === pool.poolId
      ? [{ volumeId: id, state: 'wants' as const, ...adopted.reference, why }]
      : []),
  ];
};

/** All of it, found by hints: what has to be certain when two want the same at once is decided in hold-object.ts. */
export const managedIn =
  (deps: Pick<Deps, 'store'>) =>
  async (pool: RealPool): Promise<Managed[]> => {
    const volumes = await deps.store.volumes.all();
    const { migrations } = await deps.store.open();
    const open = await deps.store.migrations.getMany(migrations.map((id): [string] => [id]));
    return [
      ...volumes.flatMap((volume) => managedByVolume(volume, pool)),
      ...open.flatMap(({ cleanup, volumeId, id }) => removed(cleanup, pool, volumeId, `migration ${id}`)),
    ];
  };

/** By its name or by the backend's own id: one of the two is enough. */
export const isSameObject =
  (asked: { readonly objectName?: string; readonly objectId?: string }) =>
  ({ objectName, objectId }: Managed): boolean =>
    (asked.objectName !== undefined && asked.objectName === objectName) ||
    (asked.objectId !== undefined && asked.objectId === objectId);
