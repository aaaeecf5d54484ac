import { stat } from 'node:fs/promises';
import { volmoveError } from '../../../domain/error.ts';
import type { BackendConfig } from '../../config.ts';
import type { KnownPools } from '../registry.ts';

/**
 * Pools that were never met must be there at the start: a path that is wrong is said at once, all of them together. A pool
 * that is known may be away (an unmounted share): it is reported offline until it is back.
 */
export const requirePools = async (backends: readonly BackendConfig[], known: KnownPools): Promise<void> => {
  const problems: string[] = [];
  for (const backend of backends) {
    for (const pool of backend.pools) {
      if (known.idOf(backend.name, pool.name) !== undefined) continue;
      const found = await stat(pool.path).catch(() => undefined);
      if (!found)
        problems.push(`backends.${backend.name}: the path of pool ${pool.name}, ${pool.path}, does not exist`);
      else if (!found.isDirectory())
        problems.push(`backends.${backend.name}: the path of pool ${pool.name}, ${pool.path}, is no directory`);
    }
  }
  if (problems.length > 0) throw volmoveError('ConfigInvalid', { problems });
};
