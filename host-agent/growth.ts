import { reservationKey } from '../domain/host/capacity.ts';
import type { Placement } from '../domain/placement.ts';
import type { Backends } from './drivers/registry.ts';
import type { GenerationJournal } from './journal/generations.ts';

/** What a destination that is being written may still take of its pool, beside what it has taken already. */
export interface Growth {
  readonly place: Placement;
  readonly key: string;
  readonly bytes: number;
}

/** Of every run whose export is not sealed, in one backend or in all. Where it cannot be told, the whole of what is reserved stands for it. */
export const measureGrowth =
  (backends: Backends, journal: Pick<GenerationJournal, 'unsealed'>) =>
  async (backend?: string): Promise<Growth[]> => {
    const open = journal.unsealed().filter(({ object }) => backend === undefined || object.backend === backend);
    const grown = await Promise.all(
      open.map(async ({ migrationId, run, object }): Promise<Growth[]> => {
        const driver = backends.all.get(object.backend);
        const allocated = await driver?.allocatedBytes?.(object).catch(() => undefined);
        if (allocated === undefined || allocated === 0) return [];
        const bytes = Math.max(0, object.sizeBytes - allocated);
        return [{ place: object, key: reservationKey(migrationId, run), bytes }];
      }),
    );
    return grown.flat();
  };
