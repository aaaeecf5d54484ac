import { volmoveError } from '../../domain/error.ts';
import type { Unwell } from './contract.ts';
import type { Backends, KnownPools } from './registry.ts';

/**
 * Pools that were never met must work at the start: what is wrong with the configuration is said at once, all of it together. A
 * pool that is known may be away (an unmounted share, a cluster that is down): it is reported offline until it is back.
 */
export const requireBackends = async ({ all }: Backends, known: KnownPools, signal: AbortSignal): Promise<void> => {
  const problems = await Promise.all(
    [...all].map(async ([name, driver]) => {
      const isKnown = (pool: string | null): boolean =>
        pool === null
          ? driver.poolNames.some((one) => known.idOf(name, one) !== undefined)
          : known.idOf(name, pool) !== undefined;
      const unwell = (await driver.probe(signal)).filter(({ pool }: Unwell) => !isKnown(pool));
      return unwell.map(({ problem }) => `backends.${name}: ${problem}`);
    }),
  );
  if (problems.flat().length > 0) throw volmoveError('ConfigInvalid', { problems: problems.flat() });
};
