import { findPool } from '../../../domain/host/host.ts';
import { formatPlacement, type Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';

/** Objects that volmove has made and given up with their volume (os-unmanage): by their names they look like leftovers. */

interface Found {
  readonly place: Placement;
  readonly object: { readonly objectName: string };
}

export const releasedAmong =
  (deps: Pick<Deps, 'store'>) =>
  async (found: readonly Found[]): Promise<(one: Found) => boolean> => {
    if (found.length === 0) return () => false;
    const hosts = new Map((await deps.store.hosts.all()).map((host) => [host.id, host]));
    const pools = new Map<string, string>();
    for (const { place } of found) {
      const host = hosts.get(place.hostId);
      pools.set(formatPlacement(place), (host && findPool(host, place)?.poolId) ?? '');
    }
    const keyOf = ({ place, object }: Found): [string, string] => [
      pools.get(formatPlacement(place)) ?? '',
      object.objectName,
    ];
    const stored = await deps.store.adoptions.getMany(found.map(keyOf));
    const released = new Set(stored.filter((one) => one.released).map((one) => `${one.poolId} ${one.objectName}`));
    return (one) => released.has(keyOf(one).join(' '));
  };
