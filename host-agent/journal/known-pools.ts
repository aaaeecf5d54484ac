import { join } from 'node:path';
import { readDurable, writeDurable } from '../../local/durable-file.ts';
import type { KnownPools } from '../drivers/registry.ts';

/** The identity of every pool that this agent has met, in its data directory. */
export const openKnownPools = async (dataDir: string): Promise<KnownPools> => {
  const file = join(dataDir, 'pools.json');
  const known = new Map(Object.entries(((await readDurable(file)) as Record<string, string> | undefined) ?? {}));
  const key = (backend: string, pool: string): string => `${backend}#${pool}`;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    idOf: (backend, pool) => known.get(key(backend, pool)),
    remember(backend, pool, poolId) {
      known.set(key(backend, pool), poolId);
      // one write at a time: an older one that is renamed last would forget the pools of a newer one
      const mine = turn.then(() => writeDurable(file, Object.fromEntries(known)));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
};
