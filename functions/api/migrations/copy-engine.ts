import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import { findPool } from '../../../domain/host/host.ts';
import { formatPlacement, type Placement } from '../../../domain/placement.ts';
import type { MigrationOptions } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Place } from '../pools/places.ts';

/** dd copies from one path to another of the same host: whether it can is said before anything is written, as far as it is known. */

type Options = Pick<MigrationOptions, 'copyEngine' | 'bandwidthBytesPerSecond' | 'destinationRetentionSeconds'>;

const whyNot = async (
  deps: Pick<Deps, 'store'>,
  options: Options,
  source: Placement,
  destination: Place,
): Promise<string | undefined> => {
  if (options.bandwidthBytesPerSecond !== undefined)
    return 'a bandwidth is asked for, and dd knows no limit: leave one of the two out';
  if (options.destinationRetentionSeconds)
    return 'the destination is to be kept for a retry, and dd always begins anew: leave one of the two out';
  const { place, pool } = destination;
  if (source.hostId !== place.hostId)
    return `it copies within one host only, and the volume would go from ${source.hostId} to ${place.hostId}`;
  const host = await deps.store.hosts.get(source.hostId);
  const from = host && findPool(host, source);
  if (from?.devicePath === null) return `what is in ${formatPlacement(source)} has no path on its host`;
  if (pool.devicePath === null) return `what is in ${formatPlacement(place)} has no path on its host`;
  return undefined;
};

/** DdNotPossible, when dd is asked for and cannot make this copy. */
export const engineRefusal =
  (deps: Pick<Deps, 'store'>) =>
  async (options: Options, source: Placement, destination: Place): Promise<VolmoveError | undefined> => {
    if (options.copyEngine !== 'dd') return undefined;
    const reason = await whyNot(deps, options, source, destination);
    return reason === undefined ? undefined : volmoveError('DdNotPossible', { reason });
  };
