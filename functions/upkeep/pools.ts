import { giveBackCapacity, migrationOfReservation, newPool, reportPool } from '../../domain/host/capacity.ts';
import { type Host, isUp, type PoolReport, poolsOf } from '../../domain/host/host.ts';
import { isClosed } from '../../domain/migration/migration.ts';
import type { Deps } from '../shared/deps.ts';

/**
 * Each real pool as the host saw it that spoke last: a share may be served by several. What grows there is told by whoever
 * serves it; an older word of that says too much rather than too little.
 */
const youngestReports = (hosts: readonly Host[]): Map<string, { pool: PoolReport; atMs: number }> => {
  const youngest = new Map<string, { pool: PoolReport; atMs: number }>();
  for (const host of hosts.toSorted((a, b) => a.heartbeatAtMs - b.heartbeatAtMs)) {
    for (const { pool } of poolsOf(host)) {
      if (pool.state !== 'up') continue;
      const growing = { ...youngest.get(pool.poolId)?.pool.growing, ...pool.growing };
      youngest.set(pool.poolId, { pool: { ...pool, growing }, atMs: host.heartbeatAtMs });
    }
  }
  return youngest;
};

/** Agents report pools into their own host item; this copies the numbers to the pools' items, where capacity is counted. */
export const copyPoolReports = async (deps: Deps): Promise<void> => {
  const nowMs = deps.clock.nowMs();
  const hosts = await deps.store.hosts.all();
  for (const [poolId, { pool, atMs }] of youngestReports(hosts.filter((h) => isUp(h, nowMs)))) {
    const { totalBytes, freeBytes, growing = {} } = pool;
    if (await deps.store.pools.get(poolId))
      await deps.store.pools.apply([poolId], reportPool({ totalBytes, freeBytes, growing }, atMs));
    else await deps.store.pools.create(newPool(poolId, totalBytes, freeBytes, atMs));
  }
};

/** Reservations of migrations that are over: whoever took one late, or died before giving it back. */
export const giveBackForgotten = async (deps: Deps, open: readonly string[]): Promise<void> => {
  const stillOpen = new Set(open);
  for (const pool of await deps.store.pools.all()) {
    for (const key of Object.keys(pool.reservations)) {
      const migrationId = migrationOfReservation(key);
      if (stillOpen.has(migrationId)) continue;
      const migration = await deps.store.migrations.get(migrationId);
      if (!migration || isClosed(migration)) await deps.store.pools.apply([pool.id], giveBackCapacity(key));
    }
  }
};
