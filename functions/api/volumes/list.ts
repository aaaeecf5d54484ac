import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type Caller, isAdmin } from '../http/exchange.ts';
import { cutPage, type Page, type PageRequest } from '../http/page.ts';

export interface ListVolumes {
  readonly caller: Caller;
  /** Believed from administrators only. */
  readonly allTenants: boolean;
  readonly page: PageRequest;
  readonly matches: (volume: Volume) => boolean;
  readonly order: (a: Volume, b: Volume) => number;
}

/** Throws VolumeNotFound when the marker names no volume that the caller may see. */
export const listVolumes =
  (deps: Pick<Deps, 'store'>) =>
  async ({ caller, allTenants, page, matches, order }: ListVolumes): Promise<Page<Volume> & { count: number }> => {
    const everywhere = allTenants && isAdmin(caller);
    const visible = (await deps.store.volumes.all())
      .filter((volume) => everywhere || volume.projectId === caller.projectId)
      .sort(order);
    const { marker } = page;
    const at = marker === undefined ? -1 : visible.findIndex((volume) => volume.id === marker);
    if (marker !== undefined && at === -1) throw volmoveError('VolumeNotFound', { id: marker });
    return {
      ...cutPage(visible.slice(at + 1).filter(matches), page),
      count: visible.filter(matches).length,
    };
  };
