import type { PoolReport } from '../../../domain/host/host.ts';
import type { KnownPools } from '../registry.ts';
import { type Cluster, type FoundPool, figuresOf } from './cluster.ts';
import type { ClusterViews, Usage } from './cluster-view.ts';
import { RBD } from './commands.ts';
import type { RbdBackend, RbdPool } from './config.ts';
import type { Images } from './images.ts';
import { poolSpec } from './names.ts';
import { LIST, parseReport } from './report.ts';

/** What the pools have; a pool that cannot be reached is offline, with the reason. */
export interface PoolReports {
  all(signal: AbortSignal): Promise<PoolReport[]>;
  readonly offline: (pool: RbdPool, reason: string) => PoolReport;
  /** Sizes have changed. */
  readonly changed: (pool: string) => void;
}

export interface PoolReportDeps {
  readonly backend: Pick<RbdBackend, 'name' | 'pools'>;
  readonly views: ClusterViews;
  readonly cluster: Cluster;
  readonly images: Images;
  readonly knownPools: KnownPools;
  readonly monotonicMs: () => number;
}

const NO_MANAGER = 'the cluster has no active manager, so nobody counts its space';
const NOT_COUNTED = 'the cluster has not counted its space yet, which takes some seconds';

/** The size of an image is asked of that image; what this agent changes is known at once. */
const PROVISIONED_FOR_MS = 60_000;

const provisionedIn = async (where: FoundPool, images: Images, signal: AbortSignal): Promise<number> => {
  const args = ['ls', '--long', poolSpec(where.pool), '--format', 'json'];
  const rows = parseReport(LIST, await images.act(where, '', args, signal), RBD.program);
  return rows.reduce((sum, { snapshot, size }) => (snapshot === undefined ? sum + size : sum), 0);
};

export const poolReportsOf = ({
  backend,
  views,
  cluster,
  images,
  knownPools,
  monotonicMs,
}: PoolReportDeps): PoolReports => {
  const provisioned = new Map<string, { readonly bytes: number; readonly atMs: number }>();
  const provisionedBytes = async (where: FoundPool, signal: AbortSignal): Promise<number> => {
    const { name } = where.pool;
    const before = provisioned.get(name);
    if (before && monotonicMs() - before.atMs < PROVISIONED_FOR_MS) return before.bytes;
    const atMs = monotonicMs();
    const bytes = await provisionedIn(where, images, signal);
    provisioned.set(name, { bytes, atMs });
    return bytes;
  };

  const offline = (pool: RbdPool, reason: string): PoolReport => ({
    name: pool.name,
    poolId: knownPools.idOf(backend.name, pool.name) ?? '',
    state: 'offline',
    reason,
    totalBytes: 0,
    freeBytes: 0,
    provisionedBytes: 0,
    thin: true,
    devicePath: null,
  });
  /** Those of a manager that has just begun are not there for a moment: the last ones are nearer to the truth than none. */
  const lastFigures = new Map<string, Usage>();
  const figures = (where: FoundPool): Usage | undefined => {
    const counted = figuresOf(where);
    if (counted) lastFigures.set(where.poolId, counted);
    return counted ?? (where.usage === 'uncounted' ? lastFigures.get(where.poolId) : undefined);
  };

  const online = async (where: FoundPool, signal: AbortSignal): Promise<PoolReport> => {
    const { pool, poolId, systemId } = where;
    const usage = figures(where);
    if (!usage) {
      const why = where.usage === 'no-manager' ? NO_MANAGER : NOT_COUNTED;
      return { ...offline(pool, why), systemId };
    }
    return {
      name: pool.name,
      poolId,
      systemId,
      state: 'up',
      reason: null,
      totalBytes: usage.storedBytes + usage.freeBytes,
      freeBytes: usage.freeBytes,
      provisionedBytes: await provisionedBytes(where, signal),
      thin: true,
      devicePath: null,
    };
  };

  return {
    offline,
    changed: (pool) => void provisioned.delete(pool),
    async all(signal) {
      const view = await views.recentFigures(signal).catch((error: Error) => error);
      return Promise.all(
        backend.pools.map(async (pool) => {
          if (view instanceof Error) return offline(pool, view.message);
          return cluster
            .identify(pool, view)
            .then((where) => online(where, signal))
            .catch((error: Error) => offline(pool, error.message));
        }),
      );
    },
  };
};
