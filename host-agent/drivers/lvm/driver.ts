import { volmoveError } from '../../../domain/error.ts';
import { underCatalogue } from '../../failures.ts';
import type { Driver, ObjectName } from '../contract.ts';
import type { DriverDeps } from '../registry.ts';
import type { VolumeWrites } from './allocation.ts';
import { createLvm } from './commands.ts';
import type { LvmPoolConfig } from './config.ts';
import { createVolume, extendVolume, foundObject } from './create.ts';
import { openVolume } from './device.ts';
import { listVolumes } from './list.ts';
import { devicePath, dmName } from './names.ts';
import { activate, foundIn, look, type Parts } from './parts.ts';
import { type LvmPool, lookAtPool } from './pool.ts';
import { reportPools } from './pool-report.ts';
import { probe } from './probe.ts';
import { removableVolume, removeVolume } from './remove.ts';
import { parseThinStatus, statusOf } from './space.ts';

/**
 * Driver `lvm`: a pool is a thin pool of a volume group, or the group itself; an object is a logical volume, known by its UUID. The
 * backend moves nothing by itself: LVM cannot take a volume to another thin pool.
 */
export interface LvmBackend {
  readonly backend: string;
  readonly pools: readonly LvmPoolConfig[];
  readonly commandTimeoutMs: number;
  readonly deps: DriverDeps;
}

const NEVER = new AbortController().signal;

export const lvmDriver = ({ backend, pools: configured, commandTimeoutMs, deps }: LvmBackend): Driver => {
  const pools: readonly LvmPool[] = configured.map((pool) => ({ ...pool, backend, place: `${backend}#${pool.name}` }));
  const parts: Parts = { ...deps, known: deps.knownPools, lvm: createLvm(deps.runTool, commandTimeoutMs) };
  const writes = new Map<string, VolumeWrites>();

  const poolOf = (name: string): LvmPool => {
    const pool = pools.find((p) => p.name === name);
    if (!pool) throw volmoveError('PoolNotFound', { place: `${backend}#${name}` });
    return pool;
  };
  const inPool = <T>({ pool }: { readonly pool: string }, act: (pool: LvmPool) => Promise<T>): Promise<T> =>
    underCatalogue(async () => act(poolOf(pool)), `${backend}#${pool}`);
  const writesTo = (uuid: string): VolumeWrites => {
    const known = writes.get(uuid) ?? { count: 0 };
    writes.set(uuid, known);
    return known;
  };

  return {
    kind: 'lvm',
    poolNames: pools.map(({ name }) => name),
    capabilities: { migrationProgressReport: false },
    probe: (signal) => probe(parts, pools, process.getuid?.() ?? 0, signal),
    pools: (signal) => reportPools(parts, pools, signal),
    create: (request, signal) => inPool(request, (pool) => createVolume(parts, pool, request, signal)),
    extend: (object, signal) => inPool(object, (pool) => extendVolume(parts, pool, object, signal)),
    find: (object, signal) =>
      inPool(object, async (pool) => {
        const { volume } = await look(parts, pool, object.objectName, signal);
        return volume && foundObject(volume);
      }),
    removable: (object, signal) => inPool(object, (pool) => removableVolume(parts, pool, object, signal)),
    remove: (object, signal) => inPool(object, (pool) => removeVolume(parts, pool, object, signal)),
    list: (request, signal) =>
      inPool(request, async (pool) => listVolumes(await lookAtPool(pool, parts, signal), request)),
    open: (object, mode, signal) =>
      inPool(object, async (pool) => {
        const { online, volume: found } = await look(parts, pool, object.objectName, signal);
        const volume = foundIn(pool, object, found);
        await activate(parts, pool, volume, signal);
        return openVolume({ online, volume, mode, deps: parts, writes: writesTo(volume.uuid) }, signal);
      }),
    allocatedBytes: (object) => inPool(object, (pool) => allocated(parts, pool, object)),
    path: (object) => inPool(object, async ({ vg }) => devicePath(vg, object.objectName)),
  };
};

/** Of a thin volume what is mapped, of a thick one all of it. */
const allocated = async (parts: Parts, pool: LvmPool, object: ObjectName): Promise<number | undefined> => {
  if (pool.thin_pool !== undefined) {
    const status = await statusOf(parts.lvm, dmName(pool.vg, object.objectName), NEVER);
    return status && parseThinStatus(status.stdout);
  }
  const { volume } = await look(parts, pool, object.objectName, NEVER);
  return volume?.sizeBytes;
};
