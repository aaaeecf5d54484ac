import { type Way, wayOf } from '../../../domain/migration/way.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { MigrationOptions, Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';

/** By what the hosts report now; undefined where that cannot be told. The backend itself is asked by the migration. */
export const wayTo =
  (deps: Pick<Deps, 'store'>) =>
  async ({ location }: Volume, destination: Placement, options: MigrationOptions): Promise<Way | undefined> => {
    const from = location && (await deps.store.hosts.get(location.hostId));
    const to = await deps.store.hosts.get(destination.hostId);
    return location && from && to ? wayOf({ source: location, destination, options }, from, to) : undefined;
  };

export const takesSpace = (way: Way | undefined): boolean => way?.way !== 'backend' || way.takesSpace;
