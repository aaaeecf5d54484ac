import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { volmoveError } from '../../../domain/error.ts';
import type { PoolReport } from '../../../domain/host/host.ts';
import { isMissing } from '../../../local/durable-file.ts';
import { openFileDevice } from '../../device/file-device.ts';
import { underCatalogue } from '../../failures.ts';
import type { CreatedObject, CreateObject, Driver, FoundObject, ObjectName } from '../contract.ts';
import type { KnownPools } from '../registry.ts';
import { found } from './found.ts';
import { type NamedFile, requireIdle } from './idle.ts';
import { listFiles, OBJECT_SUFFIX } from './list.ts';
import { fileMoves, fileSystemOf } from './moves.ts';
import { type PoolDirectory, poolIdentity } from './pool-identity.ts';
import { provisionedBytes } from './provisioned.ts';
import { syncParent } from './sync-parent.ts';
import { unwell } from './unwell.ts';

/** Driver `file`: a pool is a directory (local or an NFS mount), an object a sparse file in it. */

export interface FileBackend {
  readonly backend: string;
  readonly pools: readonly { readonly name: string; readonly path: string }[];
  readonly knownPools: KnownPools;
}

export const fileDriver = ({ backend, pools, knownPools }: FileBackend): Driver => {
  const directory = (name: string): PoolDirectory => {
    const pool = pools.find((p) => p.name === name);
    if (!pool) throw volmoveError('PoolNotFound', { place: `${backend}#${name}` });
    return { backend, ...pool };
  };
  /** The object's path, in a pool that is online. */
  const pathOf = async ({ pool, objectName }: ObjectName): Promise<string> => {
    const where = directory(pool);
    await poolIdentity(where, knownPools);
    return join(where.path, `${objectName}${OBJECT_SUFFIX}`);
  };
  const place = ({ pool }: ObjectName): string => `${backend}#${pool}`;

  return {
    kind: 'file',
    poolNames: pools.map(({ name }) => name),
    probe: async () => (await Promise.all(pools.map(unwell))).flat(),
    capabilities: { migrationProgressReport: false },
    pools: () => Promise.all(pools.map((pool) => report({ backend, ...pool }, knownPools))),
    create: async (request) => underCatalogue(() => createFile(request, pathOf), place(request)),
    extend: async (object) =>
      underCatalogue(async () => extendFile(object, await pathOf(object), place(object)), place(object)),
    find: async (object) => underCatalogue(async () => found(await pathOf(object)), place(object)),
    removable: (object) =>
      underCatalogue(async () => {
        // what a file system gives to another file reads as zeroes until it is written
        return (await idleFile(object, await pathOf(object))) ? { thin: true } : undefined;
      }, place(object)),
    remove: async (object) => underCatalogue(async () => removeFile(object, await pathOf(object)), place(object)),
    list: (request) =>
      underCatalogue(async () => {
        const where = directory(request.pool);
        await poolIdentity(where, knownPools);
        return listFiles(where.path, request);
      }, `${backend}#${request.pool}`),
    async open(object, mode, signal) {
      return underCatalogue(async () => {
        const path = await pathOf(object);
        if (!(await found(path)))
          throw volmoveError('ObjectMissing', { object: object.objectName, place: place(object) });
        // written through the cache: direct writes into holes allocate block by block, at two thirds of the speed (ADR 0007)
        const device = await openFileDevice(path, { mode, direct: mode === 'ro', signal });
        return {
          device,
          get readback() {
            return device.directIo ? 'direct' : 'cached';
          },
        };
      }, place(object));
    },
    allocatedBytes: async (object) => allocated(await pathOf(object)),
    path: pathOf,
    moves: fileMoves({ pathOf, place }),
  };
};

/** `stat` counts in blocks of 512 bytes, whatever the file system's are. */
const STAT_BLOCK_BYTES = 512;
const allocated = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).blocks * STAT_BLOCK_BYTES;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/** A larger file has a hole at its end, which reads as zeroes. */
const extendFile = async (
  { objectName, sizeBytes }: ObjectName & { readonly sizeBytes: number },
  path: string,
  place: string,
): Promise<FoundObject> => {
  const there = await found(path);
  if (!there) throw volmoveError('ObjectMissing', { object: objectName, place });
  if (there.sizeBytes >= sizeBytes) return there;
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(sizeBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { ...there, sizeBytes };
};

/** Zero only when this call made the file: what an earlier try left may have been written to since. */
const createFile = async (
  request: CreateObject,
  pathOf: (object: ObjectName) => Promise<string>,
): Promise<CreatedObject> => {
  const path = await pathOf(request);
  const before = await found(path);
  const handle = await open(path, before ? 'r+' : 'wx+', 0o600);
  try {
    if ((before?.sizeBytes ?? 0) < request.sizeBytes) await handle.truncate(request.sizeBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncParent(path);
  const made = await found(path);
  if (!made) throw volmoveError('ObjectMissing', { object: request.objectName, place: request.pool });
  return { ...made, zero: before === undefined };
};

type NamedObject = ObjectName & NamedFile;

/** False when it is not there; ObjectBusy when it is another one, or open. */
const idleFile = async (object: NamedObject, path: string): Promise<boolean> => {
  const there = await found(path);
  if (there) await requireIdle(object, path, there);
  return there !== undefined;
};

const removeFile = async (object: NamedObject, path: string): Promise<boolean> => {
  if (!(await idleFile(object, path))) return false;
  await rm(path, { force: true });
  await syncParent(path);
  return true;
};

const report = async (pool: PoolDirectory, known: KnownPools): Promise<PoolReport> => {
  const base = { name: pool.name, thin: true, devicePath: join(pool.path, `{object}${OBJECT_SUFFIX}`) };
  try {
    const poolId = await poolIdentity(pool, known);
    const { blocks, bavail, bsize } = await statfs(pool.path);
    const provisioned = await provisionedBytes(pool.path);
    return {
      ...base,
      poolId,
      state: 'up',
      reason: null,
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      provisionedBytes: provisioned,
      systemId: await fileSystemOf(pool.path),
    };
  } catch (error) {
    const poolId = known.idOf(pool.backend, pool.name) ?? '';
    return {
      ...base,
      poolId,
      state: 'offline',
      reason: (error as Error).message,
      totalBytes: 0,
      freeBytes: 0,
      provisionedBytes: 0,
    };
  }
};
