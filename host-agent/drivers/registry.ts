import { volmoveError } from '../../domain/error.ts';
import { formatPlacement, type Placement } from '../../domain/placement.ts';
import type { Children } from '../children/child.ts';
import type { BackendConfig } from '../config.ts';
import type { RunTool } from '../tools/run-tool.ts';
import type { Driver } from './contract.ts';
import { fileDriver } from './file/driver.ts';
import { lvmDriver } from './lvm/driver.ts';
import { rbdDriver } from './rbd/driver.ts';

/** The agent's backends by name. A driver is chosen by the configuration alone. */
export interface Backends {
  readonly names: readonly string[];
  get(place: Placement): Driver;
  readonly all: ReadonlyMap<string, Driver>;
  /** Copies and read-backs at once, by backend; one that is not there has no limit of its own. */
  readonly concurrency?: ReadonlyMap<string, number>;
  /** The identity that a pool had when it was first met. */
  readonly poolIdOf?: KnownPools['idOf'];
}

/** What the agent lends to its drivers. */
export interface DriverDeps {
  readonly knownPools: KnownPools;
  readonly runTool: RunTool;
  /** Programs that run as long as something is open, and die with the agent. */
  readonly children: Children;
  /** A directory for sockets and the like; what an older agent has left there is worth nothing. */
  readonly runDir: string;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const makeDriver = (backend: BackendConfig, deps: DriverDeps): Driver => {
  switch (backend.driver) {
    case 'file':
      return fileDriver({ backend: backend.name, pools: backend.pools, knownPools: deps.knownPools });
    case 'lvm':
      return lvmDriver({
        backend: backend.name,
        pools: backend.pools,
        commandTimeoutMs: backend.command_timeout_seconds * 1000,
        deps,
      });
    case 'rbd':
      return rbdDriver(backend, deps);
  }
};

/** Which identity each pool had when it was first seen: an identity that is gone means an unmounted share, not a new pool. */
export interface KnownPools {
  idOf(backend: string, pool: string): string | undefined;
  remember(backend: string, pool: string, poolId: string): Promise<void>;
}

export const createBackends = (configured: readonly BackendConfig[], deps: DriverDeps): Backends => {
  const all = new Map(configured.map((backend) => [backend.name, makeDriver(backend, deps)]));
  return {
    names: [...all.keys()],
    all,
    poolIdOf: (backend, pool) => deps.knownPools.idOf(backend, pool),
    concurrency: new Map(
      configured.flatMap(({ name, concurrency }) => (concurrency === undefined ? [] : [[name, concurrency] as const])),
    ),
    get(place) {
      const driver = all.get(place.backend);
      if (!driver) throw volmoveError('PoolNotFound', { place: formatPlacement(place) });
      return driver;
    },
  };
};
