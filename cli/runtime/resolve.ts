import { type Migration, type MigrationState, type Volume, volumePlace } from '../api/types.ts';
import type { Client } from '../client.ts';
import { ApiError, CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

/** From what a person types to one resource: a volume's name, or an id or the start of one. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;
const PREFIX = /^[0-9a-f-]{8,}$/iu;
/** A prefix is looked for among this many newest migrations; older ones are asked for by their whole id. */
const PREFIX_SEARCH = 2_000;

const notFoundAs = async <T>(lookup: Promise<T>): Promise<T | undefined> => {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
};

const notFound = (message: string, remedy: string): CliError =>
  new CliError({ exitCode: EXIT.notFound, code: 'NotFound', message, remedy });

const ambiguous = (what: string, ids: readonly string[]): CliError => {
  const shown = ids.slice(0, 10).map((id) => `\n  ${id}`);
  const more = ids.length > shown.length ? `\n  and ${ids.length - shown.length} more` : '';
  return new CliError({
    exitCode: EXIT.usage,
    code: 'Ambiguous',
    message: `${what}:${shown.join('')}${more}`,
    remedy: 'Name one of them by its id.',
  });
};

const findVolumeByPrefix = async (client: Client, text: string): Promise<Volume | undefined> => {
  const matching = (await client.volumes()).filter((volume) => volume.id.startsWith(text.toLowerCase()));
  if (matching.length > 1) {
    throw ambiguous(
      `${matching.length} volumes begin with ${text}`,
      matching.map((volume) => `${volume.id}  ${volume.name ?? ''}`.trimEnd()),
    );
  }
  return matching[0];
};

const findVolume = async (client: Client, text: string): Promise<Volume | undefined> => {
  const byId = UUID.test(text) ? await notFoundAs(client.volume(text)) : undefined;
  if (byId !== undefined) return byId;
  const named = (await client.volumes(text)).filter((volume) => volume.name === text);
  if (named.length > 1) {
    throw ambiguous(
      `${named.length} volumes are called "${text}"`,
      named.map((volume) => `${volume.id}  ${volumePlace(volume)}`),
    );
  }
  return named[0] ?? (PREFIX.test(text) && !UUID.test(text) ? findVolumeByPrefix(client, text) : undefined);
};

const findMigration = async (client: Client, text: string): Promise<Migration | undefined> => {
  if (UUID.test(text)) return notFoundAs(client.migration(text));
  if (!PREFIX.test(text)) return undefined;
  const { migrations } = await client.migrations({ limit: PREFIX_SEARCH });
  const matching = migrations.filter((migration) => migration.id.startsWith(text.toLowerCase()));
  if (matching.length > 1) {
    throw ambiguous(
      `${matching.length} migrations begin with ${text}`,
      matching.map((migration) => migration.id),
    );
  }
  return matching[0];
};

export const resolveVolume = async (client: Client, text: string): Promise<Volume> => {
  const volume = await findVolume(client, text);
  if (volume === undefined) {
    throw notFound(`There is no volume with the id or name "${text}".`, 'List the volumes: volmove volumes');
  }
  return volume;
};

export const resolveMigration = async (client: Client, text: string): Promise<Migration> => {
  const migration = await findMigration(client, text);
  if (migration !== undefined) return migration;
  const hint = UUID.test(text) || PREFIX.test(text) ? '' : ' (an id, or at least its first 8 characters)';
  throw notFound(`There is no migration "${text}"${hint}.`, 'List the migrations: volmove list');
};

export const MIGRATION_OR_VOLUME = 'id of a migration, or its first 8 or more characters; name or id of its volume';

/** One that was refused meanwhile is newer than the one that is under way: so states are asked for, not the newest. */
const newestOf = async (
  client: Client,
  { id: volumeId }: Volume,
  states: readonly MigrationState[],
): Promise<Migration | undefined> => {
  for (const state of states) {
    const [newest] = (await client.migrations({ volumeId, state, limit: 1 })).migrations;
    if (newest !== undefined) return newest;
  }
  return undefined;
};

/** A migration, or the one that a volume is in. */
export const resolveUnderWay = async (client: Client, text: string): Promise<Migration> => {
  const found = await resolveAny(client, text);
  if (found.kind === 'migration') return found.migration;
  const underWay = await newestOf(client, found.volume, ['running', 'requested']);
  if (underWay !== undefined) return underWay;
  throw notFound(`Volume ${text} is not being migrated.`, 'List what is under way: volmove list --state running');
};

/** A migration, or the one that a volume is in, or else its last one, however that ended. */
export const resolveWatched = async (client: Client, text: string): Promise<Migration> => {
  const found = await resolveAny(client, text);
  if (found.kind === 'migration') return found.migration;
  const volumeId = found.volume.id;
  const newest =
    (await newestOf(client, found.volume, ['running', 'requested'])) ??
    (await client.migrations({ volumeId, limit: 1 })).migrations[0];
  if (newest !== undefined) return newest;
  throw notFound(`Volume ${text} was never migrated.`, `Move it: volmove migrate ${text}`);
};

/** A migration, or the last one of a volume that has failed. */
export const resolveFailed = async (client: Client, text: string): Promise<Migration> => {
  const found = await resolveAny(client, text);
  if (found.kind === 'migration') return found.migration;
  const failed = await newestOf(client, found.volume, ['failed']);
  if (failed !== undefined) return failed;
  throw notFound(`No migration of volume ${text} has failed.`, `List its migrations: volmove list --volume ${text}`);
};

export type Resource =
  | { readonly kind: 'volume'; readonly volume: Volume }
  | { readonly kind: 'migration'; readonly migration: Migration };

/** A volume's name wins: it is what the person chose. The start of an id may be of either kind, but only of one. */
export const resolveAny = async (client: Client, text: string): Promise<Resource> => {
  const volume = await findVolume(client, text);
  if (volume !== undefined && (volume.name === text || volume.id === text)) return { kind: 'volume', volume };
  const migration = await findMigration(client, text);
  if (volume !== undefined && migration !== undefined) {
    throw ambiguous(`${text} begins a volume and a migration`, [volume.id, migration.id]);
  }
  if (volume !== undefined) return { kind: 'volume', volume };
  if (migration !== undefined) return { kind: 'migration', migration };
  throw notFound(`There is no volume and no migration "${text}".`, 'List them: volmove volumes, volmove list');
};
