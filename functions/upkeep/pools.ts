import { giveBackCapacity, newPool, reportPool } from '../../domain/host/capacity.ts';
import { isUp, poolsOf } from '../../domain/host/host.ts';
import { isClosed } from '../../domain/migration/migration.ts';
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

/** Reservations of migrations that are over: whoever took one late, or died before giving it back. */
export const giveBackForgotten = async (deps: Deps, open: readonly string[]): Promise<void> => {
  const stillOpen = new Set(open);
  for (const pool of await deps.store.pools.all()) {
    for (const migrationId of Object.keys(pool.reservations)) {
      if (stillOpen.has(migrationId)) continue;
      const migration = await deps.store.migrations.get(migrationId);
      if (!migration || isClosed(migration)) await deps.store.pools.apply([pool.id], giveBackCapacity(migrationId));
    }
  }
};
