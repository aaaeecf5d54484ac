import { bytesApart } from '../../../domain/bytes.ts';
import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { findPool, type Host, isUp } from '../../../domain/host/host.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import type { Way } from '../../../domain/migration/way.ts';
import { formatPlacement, type PlacementRequest, parsePlacement, samePlacement } from '../../../domain/placement.ts';
import { cannotMigrate, unclaimable } from '../../../domain/volume/claim.ts';
import type { MigrationOptions, Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type Place, requireSpace, resolvePlace } from '../pools/places.ts';
import { bad, type Check, good, untold } from './check.ts';
import { engineRefusal } from './copy-engine.ts';
import { sourceChecks } from './source-checks.ts';
import { takesSpace, wayTo } from './way.ts';

/** A dry run: everything that a request is judged by, each told apart, nothing changed. */

/** The place, or the refusal that a real request would get. */
const placeOr = async (deps: Deps, text: string): Promise<Place | VolmoveError> => {
  try {
    return await resolvePlace(deps)(text);
  } catch (error) {
    if (error instanceof VolmoveError) return error;
    throw error;
  }
};

const hostCheck = (
  name: string,
  asked: PlacementRequest | undefined,
  text: string,
  host: Host | undefined,
  nowMs: number,
) =>
  asked && host && isUp(host, nowMs)
    ? good(name, `${host.id} is up.`)
    : bad(name, volmoveError('HostUnavailable', { host: text }));

/** Says why a pool that the host knows does not do, where a request would only hear that there is no such service. */
const poolCheck = (
  text: string,
  asked: PlacementRequest | undefined,
  host: Host | undefined,
  place: Place | VolmoveError,
) => {
  const name = 'destination_pool';
  if (!(place instanceof VolmoveError)) return good(name, `${formatPlacement(place.place)} is online.`);
  const pool = host && asked?.pool !== undefined ? findPool(host, { ...asked, pool: asked.pool }) : undefined;
  return pool && pool.state !== 'up'
    ? bad(name, volmoveError('BackendOffline', { place: text, reason: pool.reason ?? 'the agent reports it offline' }))
    : bad(name, volmoveError('PoolNotFound', { place: text }));
};

const capacityCheck = (volume: Volume, place: Place, way: Way | undefined): Check => {
  const name = 'capacity';
  if (!takesSpace(way)) return good(name, 'It stays on the same file system, and takes no more there than before.');
  try {
    requireSpace(place, volume.sizeBytes);
    const [free, need] = bytesApart(place.availableBytes, volume.sizeBytes);
    return good(name, `${free} are free, ${need} are needed.`);
  } catch (error) {
    if (error instanceof VolmoveError) return bad(name, error);
    throw error;
  }
};

const otherPlaceCheck = (volume: Volume, place: Place): Check =>
  volume.location && samePlacement(volume.location, place.place)
    ? bad('other_place', cannotMigrate(volume, 'it is there already'))
    : good('other_place', `It is at ${formatPlacement(volume.location ?? volume.placement)} now.`);

const freeCheck = (volume: Volume): Check => {
  const why = unclaimable(volume);
  return why === undefined
    ? good('volume_free', `Volume ${volume.id} is available and nobody moves it.`)
    : bad('volume_free', cannotMigrate(volume, why));
};

/** An outcome that is not recorded yet is no obstacle: the request itself records it first. */
const outcomeCheck = async (deps: Deps, { lastOutcome }: Volume): Promise<Check> => {
  const name = 'last_outcome';
  if (!lastOutcome) return good(name, 'It was never migrated before.');
  const last = await deps.store.migrations.get(lastOutcome.migrationId);
  return !last || isEnded(last)
    ? good(name, `Migration ${lastOutcome.migrationId} is settled.`)
    : good(name, `Migration ${lastOutcome.migrationId} is settled by the request itself.`);
};

const sourceCheck = async (deps: Deps, { location }: Volume): Promise<Check> => {
  if (!location) return untold('source_host', 'the volume has no location');
  const host = await deps.store.hosts.get(location.hostId);
  return hostCheck('source_host', location, formatPlacement(location), host, deps.clock.nowMs());
};

/** Nothing to say of volmove's own engine, which can copy between any two places. */
const engineChecks = async (
  deps: Deps,
  options: MigrationOptions,
  volume: Volume | undefined,
  place: Place | undefined,
): Promise<Check[]> => {
  const name = 'copy_engine';
  if (options.copyEngine !== 'dd') return [];
  if (!volume?.location || !place) return [untold(name, 'source or destination is not usable')];
  const refusal = await engineRefusal(deps)(options, volume.location, place);
  return [refusal ? bad(name, refusal) : good(name, `dd can copy within ${place.place.hostId}.`)];
};

export interface CheckMigration {
  /** Undefined when there is no such volume that the caller may see. */
  readonly volume: Volume | undefined;
  readonly volumeId: string;
  readonly destination: string;
  readonly options: MigrationOptions;
  readonly projectId: string;
  readonly signal: AbortSignal | undefined;
}

export const checkMigration =
  (deps: Deps) =>
  async (asks: CheckMigration): Promise<Check[]> => {
    const { volume, volumeId, destination, options } = asks;
    const asked = parsePlacement(destination);
    const host = asked && (await deps.store.hosts.get(asked.hostId));
    const place = await placeOr(deps, destination);
    const free = place instanceof VolmoveError ? undefined : place;
    const both = volume && free;
    const way = both && (await wayTo(deps)(volume, free.place, options));
    const missing = volume ? 'the destination is not usable' : 'the volume is not there';
    const known = [
      volume
        ? good('volume_exists', `Volume ${volume.id} is there.`)
        : bad('volume_exists', volmoveError('VolumeNotFound', { id: volumeId })),
      volume ? freeCheck(volume) : untold('volume_free', missing),
      volume ? await sourceCheck(deps, volume) : untold('source_host', missing),
      hostCheck('destination_host', asked, destination, host, deps.clock.nowMs()),
      poolCheck(destination, asked, host, place),
      both ? otherPlaceCheck(volume, free) : untold('other_place', missing),
      both ? capacityCheck(volume, free, way) : untold('capacity', missing),
      volume ? await outcomeCheck(deps, volume) : untold('last_outcome', missing),
    ];
    const engine = await engineChecks(deps, options, volume, free);
    // last: an agent may take its time, and nothing above is to be judged by what has become old meanwhile
    return [...known, ...(await sourceChecks(deps)(asks, way)), ...engine];
  };
