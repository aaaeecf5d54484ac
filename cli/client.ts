import type { Priority } from '../domain/priority.ts';
import { type CleanupCalls, cleanupCalls } from './api/leftovers.ts';
import { type ManageCalls, manageCalls } from './api/manageable.ts';
import { createTransport, notOurs, type Transport } from './api/transport.ts';
import type {
  Check,
  Host,
  Migration,
  MigrationEvent,
  MigrationRequest,
  MigrationState,
  Pool,
  Volume,
} from './api/types.ts';
import type { CliDeps } from './runtime/deps.ts';

/** The HTTP API as typed calls. Rejects with ApiError only, or with the caller's own abort reason. */

export interface ListFilter {
  readonly volumeId?: string | undefined;
  readonly state?: MigrationState | undefined;
  /** At most this many, newest first. */
  readonly limit: number;
}

export interface Client extends CleanupCalls, ManageCalls {
  readonly endpoint: string;
  readonly volumes: (name?: string) => Promise<Volume[]>;
  readonly volume: (id: string, signal?: AbortSignal) => Promise<Volume>;
  readonly createVolume: (size: number, name: string | undefined, pool: string | undefined) => Promise<Volume>;
  readonly deleteVolume: (id: string) => Promise<void>;
  /** A standard volume action by its name, e.g. `os-reserve`; resolves with the answer's body. */
  readonly volumeAction: (id: string, action: string, argument?: unknown) => Promise<unknown>;
  readonly migrate: (request: MigrationRequest, idempotencyKey?: string) => Promise<Migration>;
  readonly dryRun: (request: MigrationRequest) => Promise<Check[]>;
  readonly migrations: (
    filter: ListFilter,
    signal?: AbortSignal,
  ) => Promise<{ migrations: Migration[]; more: boolean }>;
  readonly migration: (id: string, signal?: AbortSignal) => Promise<Migration>;
  /** Has the agent report now instead of at its interval; resolves when it has. */
  readonly askForReport: (id: string, signal?: AbortSignal) => Promise<void>;
  readonly events: (id: string, after: number, signal?: AbortSignal) => Promise<MigrationEvent[]>;
  readonly cancel: (id: string) => Promise<Migration>;
  readonly pause: (id: string) => Promise<Migration>;
  readonly resume: (id: string) => Promise<Migration>;
  /** Of one that has failed: it goes on where it was, as far as it can. */
  readonly retry: (id: string) => Promise<Migration>;
  /** Back to the migration's source. */
  readonly restore: (id: string, discardChanges: boolean) => Promise<Migration>;
  /** Null: no limit. */
  readonly setBandwidth: (id: string, bytesPerSecond: number | null) => Promise<Migration>;
  readonly setPriority: (id: string, priority: Priority) => Promise<Migration>;
  readonly hosts: () => Promise<Host[]>;
  readonly pools: () => Promise<Pool[]>;
}

const PAGE_ITEMS = 500;
const segment = encodeURIComponent;

type Links = readonly { rel: string; href: string }[];

/** The next page's marker. Only the marker is taken: a link to somewhere else must not get the token. */
const nextMarker = (links: Links | undefined): string | undefined => {
  const href = links?.find((link) => link.rel === 'next')?.href;
  return href === undefined ? undefined : (new URL(href, 'http://relative').searchParams.get('marker') ?? undefined);
};

/** Takes one member out of an answer; an answer without it comes from something that is not this API. */
const createMember =
  (endpoint: string) =>
  <T>(body: unknown, name: string, path: string): T => {
    const value = (body as Record<string, unknown> | undefined)?.[name];
    if (value === undefined || value === null) throw notOurs(endpoint, path);
    return value as T;
  };
type Member = ReturnType<typeof createMember>;

const volumeCalls = (call: Transport, member: Member) => ({
  volumes: async (name?: string): Promise<Volume[]> => {
    const found: Volume[] = [];
    let marker: string | undefined;
    do {
      const body = await call('/volumes/detail', { query: { limit: PAGE_ITEMS, marker, name } });
      found.push(...member<Volume[]>(body, 'volumes', '/volumes/detail'));
      marker = nextMarker((body as { volumes_links?: Links }).volumes_links);
    } while (marker !== undefined);
    return found;
  },
  volume: async (id: string, signal?: AbortSignal): Promise<Volume> => {
    const path = `/volumes/${segment(id)}`;
    return member(await call(path, { signal }), 'volume', path);
  },
  createVolume: async (size: number, name: string | undefined, pool: string | undefined): Promise<Volume> => {
    const hints = pool === undefined ? {} : { 'OS-SCH-HNT:scheduler_hints': { volmove_pool: pool } };
    const volume = name === undefined ? { size } : { size, name };
    const body = await call('/volumes', { method: 'POST', body: { volume, ...hints } });
    return member(body, 'volume', '/volumes');
  },
  deleteVolume: async (id: string): Promise<void> => {
    await call(`/volumes/${segment(id)}`, { method: 'DELETE' });
  },
  volumeAction: (id: string, action: string, argument: unknown = null): Promise<unknown> =>
    call(`/volumes/${segment(id)}/action`, { method: 'POST', body: { [action]: argument } }),
});

const actionCalls = (call: Transport, member: Member) => {
  const act = async (id: string, body: object): Promise<Migration> => {
    const path = `/migrations/${segment(id)}/action`;
    return member(await call(path, { method: 'POST', body }), 'migration', path);
  };
  return {
    cancel: (id: string) => act(id, { cancel: {} }),
    pause: (id: string) => act(id, { pause: {} }),
    resume: (id: string) => act(id, { resume: {} }),
    retry: (id: string) => act(id, { retry: {} }),
    restore: (id: string, discardChanges: boolean) => act(id, { restore: { discard_changes: discardChanges } }),
    setBandwidth: (id: string, bytesPerSecond: number | null) =>
      act(id, { set_bandwidth: { bytes_per_second: bytesPerSecond } }),
    setPriority: (id: string, priority: Priority) => act(id, { set_priority: { priority } }),
  };
};

const migrationCalls = (call: Transport, member: Member) => ({
  migrate: async (request: MigrationRequest, key?: string): Promise<Migration> => {
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    const body = await call('/migrations', { method: 'POST', body: { migration: request }, headers });
    return member(body, 'migration', '/migrations');
  },
  dryRun: async (request: MigrationRequest): Promise<Check[]> => {
    const body = await call('/migrations', { method: 'POST', body: { migration: { ...request, dry_run: true } } });
    return member(body, 'checks', '/migrations');
  },
  migrations: async ({ volumeId, state, limit }: ListFilter, signal?: AbortSignal) => {
    const migrations: Migration[] = [];
    let marker: string | undefined;
    do {
      const wanted = Math.min(PAGE_ITEMS, limit - migrations.length);
      const query = { volume_id: volumeId, state, limit: wanted, marker };
      const body = await call('/migrations', { query, signal });
      migrations.push(...member<Migration[]>(body, 'migrations', '/migrations'));
      marker = nextMarker((body as { migrations_links?: Links }).migrations_links);
    } while (marker !== undefined && migrations.length < limit);
    return { migrations, more: marker !== undefined };
  },
  migration: async (id: string, signal?: AbortSignal): Promise<Migration> => {
    const path = `/migrations/${segment(id)}`;
    return member(await call(path, { signal }), 'migration', path);
  },
  askForReport: async (id: string, signal?: AbortSignal): Promise<void> => {
    await call(`/migrations/${segment(id)}/progress`, { query: { fresh: 'true' }, signal });
  },
  events: async (id: string, after: number, signal?: AbortSignal): Promise<MigrationEvent[]> => {
    const path = `/migrations/${segment(id)}/events`;
    return member(await call(path, { query: { after }, signal }), 'events', path);
  },
});

export const createClient = (deps: Pick<CliDeps, 'fetch' | 'deadline'>, endpoint: string, token: string): Client => {
  const call = createTransport(deps, endpoint, token);
  const member = createMember(endpoint);
  return {
    endpoint,
    ...volumeCalls(call, member),
    ...migrationCalls(call, member),
    ...actionCalls(call, member),
    ...cleanupCalls(call, member),
    ...manageCalls(call, member),
    hosts: async () => member(await call('/hosts'), 'hosts', '/hosts'),
    pools: async () =>
      member(await call('/scheduler-stats/get_pools', { query: { detail: 'True' } }), 'pools', '/get_pools'),
  };
};
