import type { PoolReport } from '../../../domain/host/host.ts';
import { devicePath } from './names.ts';
import type { Parts } from './parts.ts';
import { type LvmPool, type OnlinePool, onlinePool } from './pool.ts';
import type { LogicalVolume, VolumeGroup } from './report.ts';
import { brokenPool, problemOf } from './space.ts';

/** What a pool has, for the heartbeat. */

type Amounts = Pick<PoolReport, 'totalBytes' | 'freeBytes' | 'provisionedBytes'>;

const NONE: Amounts = { totalBytes: 0, freeBytes: 0, provisionedBytes: 0 };

/** LVM rounds to hundredths of a percent. */
const ROUNDING_PERCENT = 0.01;

/** Up to the limit from where nothing is written any more: more than that nobody can use. */
const thinAmounts = ({ pool, group }: OnlinePool, thinPool: LogicalVolume): Amounts => {
  const { data, metadata } = pool.full_at_percent;
  const usedPercent =
    thinPool.dataPercent === null || thinPool.dataPercent === 0 ? 0 : thinPool.dataPercent + ROUNDING_PERCENT;
  const left = (thinPool.metadataPercent ?? 0) >= metadata ? 0 : Math.max(0, data - usedPercent);
  return {
    totalBytes: thinPool.sizeBytes,
    freeBytes: Math.floor((thinPool.sizeBytes * left) / 100),
    provisionedBytes: group.volumes
      .filter(({ thinPool: name }) => name === thinPool.name)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
};

const amountsOf = (online: OnlinePool): Amounts => {
  const { group, thinPool } = online;
  if (thinPool) return thinAmounts(online, thinPool);
  const { sizeBytes, freeBytes } = group;
  return { totalBytes: sizeBytes, freeBytes, provisionedBytes: sizeBytes - freeBytes };
};

type GroupOf = (pool: LvmPool) => Promise<VolumeGroup | undefined>;

/** Pools of one group are told from one look at it. */
export const reportPools = (parts: Parts, pools: readonly LvmPool[], signal: AbortSignal): Promise<PoolReport[]> => {
  const asked = new Map<string, Promise<VolumeGroup | undefined>>();
  const groupOf: GroupOf = ({ vg, place }) => {
    const group = asked.get(vg) ?? parts.lvm.group(vg, { place, object: vg }, signal);
    asked.set(vg, group);
    return group;
  };
  return Promise.all(pools.map((pool) => reportPool(parts, pool, groupOf, signal)));
};

const reportPool = async (parts: Parts, pool: LvmPool, groupOf: GroupOf, signal: AbortSignal): Promise<PoolReport> => {
  const base = {
    name: pool.name,
    thin: pool.thin_pool !== undefined,
    ...(pool.thin_pool === undefined ? {} : { maxOverSubscriptionRatio: pool.max_over_subscription_ratio }),
    devicePath: devicePath(pool.vg, '{object}'),
  };
  try {
    const online = await onlinePool(pool, await groupOf(pool), parts.known);
    const broken = online.thinPool && brokenPool(online.thinPool);
    return {
      ...base,
      poolId: online.poolId,
      state: broken ? 'offline' : 'up',
      reason: broken ? problemOf(pool.vg, pool.thin_pool ?? '', broken) : null,
      ...amountsOf(online),
    };
  } catch (error) {
    signal.throwIfAborted();
    const poolId = parts.known.idOf(pool.backend, pool.name) ?? '';
    return { ...base, poolId, state: 'offline', reason: (error as Error).message, ...NONE };
  }
};
