import { VolmoveError } from '../domain/error.ts';
import { type BackendReport, beat, type Host, type PoolReport } from '../domain/host/host.ts';
import type { Clock } from '../domain/ports.ts';
import type { Store } from '../store/store.ts';
import type { Backends } from './drivers/registry.ts';
import type { Growth } from './growth.ts';
import type { Lease } from './lease.ts';

/** Says that the host is alive and what its pools have. A refused heartbeat means that another agent is this host now. */
export interface HeartbeatDeps {
  readonly store: Pick<Store, 'hosts'>;
  readonly backends: Backends;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly growth?: () => Promise<Growth[]>;
  readonly monotonicMs?: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

const concurrencyOf = ({ concurrency }: Backends, name: string): Pick<BackendReport, 'concurrency'> => {
  const limit = concurrency?.get(name);
  return limit === undefined ? {} : { concurrency: limit };
};

const growingIn = (backend: string, pool: string, growths: readonly Growth[]): Pick<PoolReport, 'growing'> => {
  const here = growths.filter(({ place }) => place.backend === backend && place.pool === pool);
  return here.length === 0 ? {} : { growing: Object.fromEntries(here.map(({ key, bytes }) => [key, bytes])) };
};

export const reportBackends = async (
  backends: Backends,
  signal: AbortSignal,
  growth: () => Promise<readonly Growth[]> = async () => [],
): Promise<BackendReport[]> => {
  // measured first: what is written meanwhile is missing from what is free, and not from what is reserved
  const growths = await growth();
  return Promise.all(
    [...backends.all].map(async ([name, driver]) => ({
      name,
      driver: driver.kind,
      migrationProgressReport: driver.capabilities.migrationProgressReport,
      ...(driver.moves ? { attachDuringMove: driver.moves.attachDuringMove } : {}),
      ...(driver.moves?.takesNoSpace ? { moveTakesNoSpace: true as const } : {}),
      ...concurrencyOf(backends, name),
      pools: (await driver.pools(signal)).map((pool) => ({ ...pool, ...growingIn(name, pool.name, growths) })),
    })),
  );
};

/**
 * What the backends said last. One that hangs (a lock that somebody holds, a cluster that is down) must not hold up the beats: the
 * host would count as lost, and its agent would stop all of its I/O. Pools and what grows in them are always of one report.
 */
const latestReports = (deps: HeartbeatDeps, patienceMs: number, signal: AbortSignal) => {
  let last: BackendReport[] | undefined;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    last = await reportBackends(deps.backends, signal, deps.growth);
  };
  return async (): Promise<BackendReport[]> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    if (last) await Promise.race([asking, deps.sleep(patienceMs, signal)]);
    else await asking;
    return last ?? [];
  };
};

/** Beats until the signal; throws AgentSuperseded. */
export const keepBeating = async (deps: HeartbeatDeps, host: Host, signal: AbortSignal): Promise<void> => {
  const reports = latestReports(deps, host.heartbeatMs / 2, signal);
  while (!signal.aborted) {
    try {
      const backends = await reports();
      // others count from the time that is written, so the lease must not count from the answer
      const sentAtMs = deps.monotonicMs?.();
      await deps.store.hosts.apply(
        [host.id],
        beat({ incarnation: host.incarnation, backends, nowMs: deps.clock.nowMs() }),
      );
      deps.lease.renewed(sentAtMs);
    } catch (error) {
      if (error instanceof VolmoveError && error.code === 'AgentSuperseded') throw error;
      if (signal.aborted) return;
      deps.onProblem('heartbeat', error);
    }
    await deps.sleep(host.heartbeatMs, signal).catch(() => undefined);
  }
};
