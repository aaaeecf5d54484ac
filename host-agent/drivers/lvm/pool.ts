import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { KnownPools } from '../registry.ts';
import type { Lvm } from './commands.ts';
import type { LvmPoolConfig } from './config.ts';
import type { LvmContext } from './errors.ts';
import type { LogicalVolume, VolumeGroup } from './report.ts';

/**
 * A pool is what has the configured names and the identities that it had when it was met: another group of the same name is as
 * good as none. Looked at in every call.
 */
export interface LvmPool extends LvmPoolConfig {
  readonly backend: string;
  readonly place: string;
}

export interface OnlinePool {
  readonly pool: LvmPool;
  readonly poolId: string;
  readonly group: VolumeGroup;
  /** Undefined in a pool of thick volumes. */
  readonly thinPool: LogicalVolume | undefined;
}

const offline = ({ place }: LvmPool, reason: string): VolmoveError => volmoveError('BackendOffline', { place, reason });

/** Why nothing in the group can be relied upon, although LVM shows it. */
const unusable = ({ vg }: LvmPool, { exported, partial }: VolumeGroup): string | undefined => {
  if (exported) return `the volume group ${vg} is exported`;
  if (partial) return `a disk of the volume group ${vg} is missing`;
  return undefined;
};

/** What LVM shows of the pool, or the reason why it shows none. */
const shown = (
  pool: LvmPool,
  group: VolumeGroup | undefined,
): { readonly group: VolumeGroup; readonly thinPool: LogicalVolume | undefined; readonly poolId: string } | string => {
  const { vg, thin_pool } = pool;
  if (!group) return `there is no volume group ${vg}`;
  const reason = unusable(pool, group);
  if (reason) return reason;
  if (thin_pool === undefined) return { group, thinPool: undefined, poolId: group.uuid };
  const thinPool = group.volumes.find(({ name }) => name === thin_pool);
  if (!thinPool) return `there is no thin pool ${thin_pool} in the volume group ${vg}`;
  if (thinPool.segments !== 'thin-pool') return `${vg}/${thin_pool} is no thin pool, it is ${thinPool.segments}`;
  return { group, thinPool, poolId: `${group.uuid}/${thinPool.uuid}` };
};

/** The reason why the pool cannot be used; undefined when it can. Changes nothing. */
export const poolProblem = (pool: LvmPool, group: VolumeGroup | undefined): string | undefined => {
  const found = shown(pool, group);
  return typeof found === 'string' ? found : undefined;
};

/** BackendOffline, or the pool as it is now. A pool that was never met is met here. */
export const onlinePool = async (
  pool: LvmPool,
  group: VolumeGroup | undefined,
  known: KnownPools,
): Promise<OnlinePool> => {
  const found = shown(pool, group);
  if (typeof found === 'string') throw offline(pool, found);
  const expected = known.idOf(pool.backend, pool.name);
  if (expected === undefined) await known.remember(pool.backend, pool.name, found.poolId);
  else if (expected !== found.poolId)
    throw offline(pool, `another pool has its name (${found.poolId}, expected ${expected})`);
  return { pool, ...found };
};

export const lookAtPool = async (
  pool: LvmPool,
  { lvm, known }: { readonly lvm: Lvm; readonly known: KnownPools },
  signal: AbortSignal,
  object = pool.vg,
): Promise<OnlinePool> => {
  const context: LvmContext = { place: pool.place, object };
  return onlinePool(pool, await lvm.group(pool.vg, context, signal), known);
};

const THICK = new Set(['linear', 'striped']);

/** Whether the volume lies in this pool, as something that is read and written like a disk. */
export const liesIn = ({ pool, thinPool }: OnlinePool, volume: LogicalVolume): boolean =>
  thinPool ? volume.thinPool === pool.thin_pool : volume.thinPool === null && volume.segments !== 'thin-pool';

/** Why it cannot be adopted as it is. */
export const unfitness = (volume: LogicalVolume, volumes: readonly LogicalVolume[]): string | undefined => {
  if (volume.origin !== null) return `it is a snapshot of ${volume.origin}`;
  if (volume.segments !== 'thin' && !THICK.has(volume.segments)) return `it is of the kind ${volume.segments}`;
  const snapshots = volumes.filter(({ origin }) => origin === volume.name).map(({ name }) => name);
  if (snapshots.length > 0) return `it has snapshots: ${snapshots.join(', ')}`;
  if (volume.open) return 'it is open';
  return undefined;
};
