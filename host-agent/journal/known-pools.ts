import { join } from 'node:path';
import { readDurable, writeDurable } from '../../local/durable-file.ts';
import type { KnownPools } from '../drivers/registry.ts';

/** The identity of every pool that this agent has met, in its data directory. */
export const openKnownPools = async (dataDir: string): Promise<KnownPools> => {
  const file = join(dataDir, 'pools.json');
  const known = new Map(Object.entries(((await readDurable(file)) as Record<string, string> | undefined) ?? {}));
  const key = (backend: string, pool: string): string => `${backend}#${pool}`;
  return {
    idOf: (backend, pool) => known.get(key(backend, pool)),
    async remember(backend, pool, poolId) {
      known.set(key(backend, pool), poolId);
      await writeDurable(file, Object.fromEntries(known));
    },
  };
};
