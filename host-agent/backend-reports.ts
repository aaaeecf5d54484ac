import type { BackendReport, PoolReport } from '../domain/host/host.ts';
import type { Driver } from './drivers/contract.ts';
import type { Backends } from './drivers/registry.ts';
import type { Growth } from './growth.ts';

/**
 * What the backends have, each asked on its own. One that hangs (a lock that somebody holds, a share whose server is gone, a cluster
 * that is down) must not hold up a heartbeat, nor the reports of the others: the host would count as lost, and its agent would stop
 * all of its I/O. What such a one said last stands for a while; after that its pools are offline until it answers.
 */
export interface ReportsDeps {
  readonly backends: Backends;
  /** Of one backend. */
  readonly growth?: (backend: string) => Promise<readonly Growth[]>;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Waits so long for an answer at the most, whatever the backends do. */
export type Reports = (patienceMs: number, signal: AbortSignal) => Promise<BackendReport[]>;

/** From the question that is not answered on: a backend may be slow. */
export const LAST_STANDS_MS = 30_000;

/** Pools and what grows in them are always of one report. */
type Pools = readonly PoolReport[];

interface Asked {
  readonly sinceMs: number;
  readonly answer: Promise<Pools>;
}

const growingIn = (pool: string, growths: readonly Growth[]): Pick<PoolReport, 'growing'> => {
  const here = growths.filter(({ place }) => place.pool === pool);
  return here.length === 0 ? {} : { growing: Object.fromEntries(here.map(({ key, bytes }) => [key, bytes])) };
};

const concurrencyOf = ({ concurrency }: Backends, name: string): Pick<BackendReport, 'concurrency'> => {
  const limit = concurrency?.get(name);
  return limit === undefined ? {} : { concurrency: limit };
};

const NOTHING = { totalBytes: 0, freeBytes: 0, provisionedBytes: 0 };

/** One backend's pools, as often as they are asked for; never two questions at once. */
const poolsOf = (name: string, driver: Driver, deps: ReportsDeps) => {
  const { backends, growth = async () => [], monotonicMs, sleep } = deps;
  let last: Pools | undefined;
  let asked: Asked | undefined;

  const ask = async (signal: AbortSignal): Promise<Pools> => {
    // measured first: what is written meanwhile is missing from what is free, and not from what is reserved
    const growths = await growth(name);
    const pools = await driver.pools(signal);
    return pools.map((pool) => ({ ...pool, ...growingIn(pool.name, growths) }));
  };
  const begin = (signal: AbortSignal): Asked => {
    const answer = ask(signal)
      .then((pools) => {
        last = pools;
        return pools;
      })
      .finally(() => {
        asked = undefined;
      });
    return { sinceMs: monotonicMs(), answer };
  };
  const offline = (reason: string): Pools =>
    driver.poolNames.map((pool): PoolReport => {
      const { growing: _, ...known } = last?.find((one) => one.name === pool) ?? {
        name: pool,
        poolId: backends.poolIdOf?.(name, pool) ?? '',
        thin: true,
        devicePath: null,
      };
      return { ...known, ...NOTHING, state: 'offline', reason };
    });

  return async (patienceMs: number, signal: AbortSignal): Promise<Pools> => {
    asked ??= begin(signal);
    const { answer, sinceMs } = asked;
    const over = new AbortController();
    const patience = sleep(patienceMs, AbortSignal.any([signal, over.signal])).then(
      () => undefined,
      () => undefined,
    );
    const failed = answer.catch((error: Error) => offline(error.message));
    const pools = await Promise.race([failed, patience]).finally(() => over.abort());
    signal.throwIfAborted();
    if (pools) return pools;
    const silentMs = monotonicMs() - sinceMs;
    if (last && silentMs < LAST_STANDS_MS) return last;
    return offline(`${name} does not answer, for ${Math.round(silentMs / 1000)} s by now`);
  };
};

export const createReports = (deps: ReportsDeps): Reports => {
  const { backends } = deps;
  const all = [...backends.all].map(([name, driver]) => ({ name, driver, pools: poolsOf(name, driver, deps) }));
  return (patienceMs, signal) =>
    Promise.all(
      all.map(async ({ name, driver, pools }) => ({
        name,
        driver: driver.kind,
        migrationProgressReport: driver.capabilities.migrationProgressReport,
        ...(driver.moves ? { attachDuringMove: driver.moves.attachDuringMove } : {}),
        ...(driver.moves?.takesNoSpace ? { moveTakesNoSpace: true as const } : {}),
        ...concurrencyOf(backends, name),
        pools: await pools(patienceMs, signal),
      })),
    );
};
