import { volmoveError } from '../../../domain/error.ts';
import { createTurnsOf } from '../../in-turn.ts';
import type { Driver, ObjectName } from '../contract.ts';
import type { DriverDeps } from '../registry.ts';
import { type Cluster, clusterOf, type FoundPool } from './cluster.ts';
import { clusterViews } from './cluster-view.ts';
import { createCommands } from './commands.ts';
import type { RbdBackend } from './config.ts';
import { createImage, extendImage } from './create.ts';
import { headersOf } from './headers.ts';
import { found, imagesOf } from './images.ts';
import { listImages } from './list.ts';
import { rbdMoves } from './moves.ts';
import { opening } from './open.ts';
import { poolReportsOf } from './pool-report.ts';
import { probeBackend } from './probe.ts';
import { removalsOf } from './removal.ts';
import { usersOf } from './users.ts';

/** Driver `rbd`: a pool is a pool of a Ceph cluster, an object an image in it. It needs no kernel module: librbd does the I/O. */
export const rbdDriver = (backend: RbdBackend, deps: DriverDeps): Driver => {
  const { timeout_seconds: timeoutSeconds } = backend;
  const commands = createCommands(backend.name, backend, deps);
  const images = imagesOf(commands, timeoutSeconds);
  const views = clusterViews(backend, commands, deps.monotonicMs);
  const cluster = clusterOf(backend, views, deps.knownPools);
  const users = usersOf(images, deps);
  const removals = removalsOf({ commands, images, users });
  const reports = poolReportsOf({ ...deps, backend, views, cluster, images });
  const turns = createTurnsOf();

  /** In turn with whatever else changes that object; what the pool has promised is counted anew afterwards. */
  const changing = <T>(
    { pool, objectName }: ObjectName,
    signal: AbortSignal,
    act: (where: FoundPool) => Promise<T>,
    require: Cluster['require'] = cluster.require,
  ): Promise<T> =>
    turns(`${pool}/${objectName}`)(async () => {
      try {
        return await act(await require(pool, signal));
      } finally {
        reports.changed(pool);
      }
    });

  return {
    kind: 'rbd',
    poolNames: backend.pools.map(({ name }) => name),
    capabilities: { migrationProgressReport: true },
    probe: (signal) => probeBackend({ backend, runTool: deps.runTool, views, cluster, images }, signal),
    pools: (signal) => reports.all(signal),
    create: (request, signal) =>
      changing(request, signal, (where) => createImage(where, request, images, signal), cluster.requireNow),
    extend: (object, signal) => changing(object, signal, (where) => extendImage(where, object, images, signal)),
    async find({ pool, objectName }, signal) {
      const info = await images.info(await cluster.require(pool, signal), objectName, signal);
      return info && found(info);
    },
    removable: async (object, signal) => removals.removable(await cluster.require(object.pool, signal), object, signal),
    remove: (object, signal) => changing(object, signal, (where) => removals.remove(where, object, signal)),
    list: async (request, signal) => listImages(await cluster.require(request.pool, signal), request, images, signal),
    open: opening({ backend, cluster, images, users, deps }),
    // a guest opens the image through librbd, by its name
    path: async ({ pool }) => {
      if (!backend.pools.some(({ name }) => name === pool))
        throw volmoveError('PoolNotFound', { place: `${backend.name}#${pool}` });
      return null;
    },
    moves: rbdMoves({
      ...deps,
      commands,
      headers: headersOf({ ...deps, commands, timeoutSeconds }),
      images,
      cluster,
      users,
      timeoutSeconds,
      changed: reports.changed,
    }),
  };
};
