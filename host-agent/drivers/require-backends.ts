import { volmoveError } from '../../domain/error.ts';
import type { Driver, Unwell } from './contract.ts';
import type { Backends, KnownPools } from './registry.ts';

export interface RequireDeps {
  readonly backends: Pick<Backends, 'all'>;
  readonly known: KnownPools;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

/** A backend all of whose pools are known is not waited for any longer. */
const PATIENCE_MS = 30_000;

const probed = async (name: string, driver: Driver, deps: RequireDeps, signal: AbortSignal) => {
  const probing = driver.probe(signal);
  if (driver.poolNames.some((pool) => deps.known.idOf(name, pool) === undefined)) return probing;
  const over = new AbortController();
  const patience = deps.sleep(PATIENCE_MS, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  const found = await Promise.race([probing, patience.then(() => undefined)]).finally(() => over.abort());
  if (found) return found;
  signal.throwIfAborted();
  probing.catch(() => undefined);
  deps.onProblem(`backend ${name}`, new Error('it does not answer; its pools are offline until it does'));
  return [];
};

/**
 * Pools that were never met must work at the start: what is wrong with the configuration is said at once, all of it together. A
 * pool that is known may be away (an unmounted share, a cluster that is down) or hang: it is reported offline until it is back.
 */
export const requireBackends = async (deps: RequireDeps, signal: AbortSignal): Promise<void> => {
  const { backends, known } = deps;
  const problems = await Promise.all(
    [...backends.all].map(async ([name, driver]) => {
      const isKnown = (pool: string | null): boolean =>
        pool === null
          ? driver.poolNames.some((one) => known.idOf(name, one) !== undefined)
          : known.idOf(name, pool) !== undefined;
      const unwell = (await probed(name, driver, deps, signal)).filter(({ pool }: Unwell) => !isKnown(pool));
      return unwell.map(({ problem }) => `backends.${name}: ${problem}`);
    }),
  );
  if (problems.flat().length > 0) throw volmoveError('ConfigInvalid', { problems: problems.flat() });
};
