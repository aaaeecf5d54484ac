import { volmoveError } from '../../../domain/error.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { sizeGib, type Volume } from '../../../domain/volume/volume.ts';
import { type Caller, isAdmin } from '../http/exchange.ts';
import type { Microversion } from '../http/microversion.ts';
import { shownStatus } from '../render/volume.ts';

/** Which volumes a list is asked for. Filters that tell of migrations and hosts are for administrators alone. */

type Matches = (volume: Volume, wanted: string) => boolean;

const MEMBERS: Readonly<Record<string, Matches>> = {
  name: (volume, wanted) => volume.name === wanted,
  display_name: (volume, wanted) => volume.name === wanted,
  status: (volume, wanted) => volume.status === wanted || shownStatus(volume.status) === wanted,
  size: (volume, wanted) => String(sizeGib(volume)) === wanted,
  bootable: (_, wanted) => wanted.toLowerCase() === 'false',
  availability_zone: (_, wanted) => wanted === 'nova',
};

/** `host@backend` stands for all of its pools. */
const onHost: Matches = (volume, wanted) => {
  const host = formatPlacement(volume.location ?? volume.placement);
  return host === wanted || host.startsWith(`${wanted}#`);
};

const ADMINS: Readonly<Record<string, Matches>> = {
  ...MEMBERS,
  id: (volume, wanted) => volume.id === wanted,
  host: onHost,
  migration_status: (volume, wanted) => (volume.migrationStatus ?? 'none') === wanted.toLowerCase(),
  project_id: (volume, wanted) => volume.projectId === wanted,
  user_id: (volume, wanted) => volume.userId === wanted,
};

const NO_FILTERS = new Set(['limit', 'marker', 'offset', 'sort', 'sort_key', 'sort_dir', 'all_tenants', 'with_count']);

/** From this microversion on a filter that a member may not use is an error; before, it was dropped. */
const STRICT_FROM = 31;

const strangers = (names: readonly string[], version: Microversion): void => {
  if (version < STRICT_FROM || names.length === 0) return;
  throw volmoveError('InvalidRequest', { reason: `Invalid filters ${names.join(', ')} are found in query options.` });
};

/** A filter that nobody knows matches nothing for an administrator, as in the standard. */
export const volumeFilter = (
  query: URLSearchParams,
  caller: Caller,
  version: Microversion,
): ((v: Volume) => boolean) => {
  const known = isAdmin(caller) ? ADMINS : MEMBERS;
  const asked = [...query].filter(([name]) => !NO_FILTERS.has(name));
  const unknown = asked.filter(([name]) => !Object.hasOwn(known, name)).map(([name]) => name);
  if (isAdmin(caller)) return unknown.length > 0 ? () => false : all(asked, known);
  strangers(unknown, version);
  return all(asked, known);
};

const all =
  (asked: readonly (readonly [string, string])[], known: Readonly<Record<string, Matches>>) =>
  (volume: Volume): boolean =>
    asked.every(([name, wanted]) => known[name]?.(volume, wanted) ?? true);
