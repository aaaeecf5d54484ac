import { newPool, reportPool } from '../../domain/host/capacity.ts';
import { isUp, poolsOf } from '../../domain/host/host.ts';
import type { Deps } from '../shared/deps.ts';

/** Agents report pools into their own host item; this copies the numbers to the pools' items, where capacity is counted. */
export const copyPoolReports = async (deps: Deps): Promise<void> => {
  const nowMs = deps.clock.nowMs();
  const hosts = await deps.store.hosts.all();
  for (const host of hosts.filter((h) => isUp(h, nowMs))) {
    for (const { pool } of poolsOf(host)) {
      if (pool.state !== 'up') continue;
      const { poolId, totalBytes, freeBytes } = pool;
      const rule = reportPool({ totalBytes, freeBytes }, nowMs);
      if (await deps.store.pools.get(poolId)) await deps.store.pools.apply([poolId], rule);
      else await deps.store.pools.create({ ...newPool(poolId), totalBytes, freeBytes, reportedAtMs: nowMs });
    }
  }
};
