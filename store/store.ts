import { randomUUID } from 'node:crypto';
import { volmoveError } from '../domain/error.ts';
import type { Host } from '../domain/host/host.ts';
import type { Pool } from '../domain/host/pool.ts';
import type { Watch } from '../domain/host/watch.ts';
import { isJobEnded, type Job, keptForRetrySeconds } from '../domain/job/job.ts';
import type { TaskToken } from '../domain/job/token.ts';
import { isClosed, type Migration } from '../domain/migration/migration.ts';
import type { Adoption } from '../domain/volume/adoption.ts';
import type { Volume } from '../domain/volume/volume.ts';
import { type Collection, collection, type Shape } from './collection.ts';
import {
  adoptionKey,
  hostKey,
  hostPartition,
  idOf,
  JOB_PREFIX,
  jobKey,
  migrationKey,
  openKeysOf,
  openShards,
  poolKey,
  TOKEN_PREFIX,
  tokenKey,
  volumeKey,
  watchKey,
} from './keys.ts';
import { volumeIsOpen } from './open.ts';
import type { IndexPosition, Records } from './records.ts';
import { repairIndexes } from './repair.ts';
import { type Tokens, tokensOfJobs, tokenTtl } from './tokens.ts';

/** Everything that volmove remembers: the only code that knows keys and indexes. */
export interface Store {
  readonly volumes: Collection<Volume, [id: string]> & Listing<Volume>;
  readonly migrations: Collection<Migration, [id: string]> & Listing<Migration>;
  readonly hosts: Collection<Host, [id: string]> & Listing<Host>;
  readonly pools: Collection<Pool, [id: string]> & Listing<Pool>;
  readonly jobs: Jobs;
  readonly tokens: Tokens;
  readonly adoptions: Collection<Adoption, [poolId: string, objectName: string]>;
  /** One item. */
  readonly watch: Collection<Watch, []>;
  /** Hints: ids that the sweeper has to look at. */
  open(): Promise<OpenIds>;
  /** The same from a scan, and every item whose index rows may be torn is written again: after a crash of the database. */
  repair(): Promise<OpenIds>;
}

export interface Jobs extends Collection<Job, [hostId: string, jobId: string]> {
  /** Also those that have ended and are not forgotten yet: there may be very many. */
  ofHost(hostId: string): Promise<Job[]>;
  /** Those that have not ended. */
  openOfHost(hostId: string): Promise<Job[]>;
}

export interface Listing<T> {
  /** Everything of the kind, newest first unless said otherwise; found by a hint, read consistently. */
  list(page?: {
    limit?: number;
    after?: string;
    oldestFirst?: boolean;
  }): Promise<{ values: T[]; next: string | undefined }>;
  /** Every page of `list`. */
  all(): Promise<T[]>;
}

export interface OpenIds {
  readonly volumes: readonly string[];
  readonly migrations: readonly string[];
}

const sortable = (atMs: number, id: string): string => `${String(atMs).padStart(15, '0')}#${id}`;

/** `of`: where the index has a value. A row that says anything else is of an item that was made anew, or is not written yet. */
const listing = <T, Id extends readonly string[]>(
  records: Records,
  kind: string,
  items: Collection<T, Id>,
  idOfKey: (key: IndexPosition) => Id,
  of: { readonly id: (value: T) => Id; readonly sort: (value: T) => string },
): Listing<T> => {
  const list: Listing<T>['list'] = async ({ limit, after, oldestFirst = false } = {}) => {
    const from =
      after === undefined ? undefined : (JSON.parse(Buffer.from(after, 'base64url').toString()) as IndexPosition);
    const page = await records.keysOfKind(kind, {
      descending: !oldestFirst,
      ...(limit === undefined ? {} : { limit }),
      ...(from ? { after: from } : {}),
    });
    const found = await items.getMany(page.keys.map(idOfKey));
    const values = new Map(found.map((value) => [`${of.sort(value)} ${of.id(value).join('/')}`, value]));
    return {
      values: page.keys
        .map((key) => values.get(`${key.kindSort} ${idOfKey(key).join('/')}`))
        .filter((value) => value !== undefined),
      next: page.next && Buffer.from(JSON.stringify(page.next)).toString('base64url'),
    };
  };
  return {
    list,
    async all() {
      const values: T[] = [];
      let after: string | undefined;
      do {
        const page = await list(after === undefined ? {} : { after });
        values.push(...page.values);
        after = page.next;
      } while (after !== undefined);
      return values;
    },
  };
};

const byId = <T>(
  records: Records,
  newWriteId: () => string,
  kind: string,
  key: (id: string) => { pk: string; sk: string },
  missing: (id: string) => Error,
  of: { id: (value: T) => string; atMs: (value: T) => number; open: (value: T) => boolean },
): Collection<T, [id: string]> & Listing<T> => {
  const sort = (value: T): string => sortable(of.atMs(value), of.id(value));
  const shape: Shape<T, [id: string]> = {
    key,
    idOf: (value) => [of.id(value)],
    missing,
    index: (value) => ({
      kind,
      kindSort: sort(value),
      ...(of.open(value) ? openKeysOf(kind, of.id(value)) : {}),
    }),
  };
  const items = collection(records, shape, newWriteId);
  return {
    ...items,
    ...listing(records, kind, items, (at) => [idOf(at.pk)] as [string], {
      id: (value) => [of.id(value)] as [string],
      sort,
    }),
  };
};

/** DynamoDB removes ended jobs a day later (time to live, in seconds); an embedded cloud's upkeep does it itself. */
const JOB_KEPT_SECONDS = 86_400;
const ttlOf = (job: Job): number =>
  Math.ceil(('endedAtMs' in job.stage ? job.stage.endedAtMs : 0) / 1000) + JOB_KEPT_SECONDS + keptForRetrySeconds(job);

export const createStore = (records: Records, newWriteId: () => string = randomUUID): Store => {
  const jobs = collection<Job, [string, string]>(
    records,
    {
      key: jobKey,
      idOf: (job) => [job.hostId, job.id],
      missing: (_, id) => volmoveError('JobNotFound', { id }),
      index: (job) => (isJobEnded(job) ? { ttl: ttlOf(job) } : { openJob: job.id }),
    },
    newWriteId,
  );
  const tokens = collection<TaskToken, [string, string]>(
    records,
    {
      key: tokenKey,
      index: (token) => ({ ttl: tokenTtl(token) }),
      idOf: (token) => [token.hostId, token.jobId],
      missing: (_, id) => volmoveError('JobNotFound', { id }),
    },
    newWriteId,
  );
  const store: Store = {
    volumes: byId<Volume>(records, newWriteId, 'VOLUME', volumeKey, (id) => volmoveError('VolumeNotFound', { id }), {
      id: (v) => v.id,
      atMs: (v) => v.createdAtMs,
      open: volumeIsOpen,
    }),
    migrations: byId<Migration>(
      records,
      newWriteId,
      'MIGRATION',
      migrationKey,
      (id) => volmoveError('MigrationNotFound', { id }),
      {
        id: (m) => m.id,
        atMs: (m) => m.requestedAtMs,
        open: (m) => !isClosed(m),
      },
    ),
    hosts: byId<Host>(records, newWriteId, 'HOST', hostKey, (host) => volmoveError('HostUnavailable', { host }), {
      id: (h) => h.id,
      atMs: () => 0,
      open: () => false,
    }),
    pools: byId<Pool>(records, newWriteId, 'POOL', poolKey, (place) => volmoveError('PoolNotFound', { place }), {
      id: (p) => p.id,
      atMs: () => 0,
      open: () => false,
    }),
    jobs: {
      ...jobs,
      ofHost: async (hostId) =>
        (await records.query(hostPartition(hostId), JOB_PREFIX)).map((record) => record.data as Job),
      async openOfHost(hostId) {
        const found = await records.getMany(await records.openJobKeys(hostPartition(hostId)));
        return found.map((record) => record.data as Job).filter((job) => !isJobEnded(job));
      },
    },
    tokens: tokensOfJobs(tokens, jobs, async (hostId) =>
      (await records.query(hostPartition(hostId), TOKEN_PREFIX)).map((record) => record.data as TaskToken),
    ),
    adoptions: collection<Adoption, [string, string]>(
      records,
      {
        key: adoptionKey,
        idOf: ({ poolId, objectName }) => [poolId, objectName],
        missing: (_, name) => volmoveError('Internal', { reason: `nobody has taken over ${name}` }),
      },
      newWriteId,
    ),
    watch: collection<Watch, []>(
      records,
      { key: watchKey, idOf: () => [], missing: () => volmoveError('Internal', { reason: 'no pass was ever made' }) },
      newWriteId,
    ),
    async open() {
      const keys = (await Promise.all(openShards().map((shard) => records.openKeys(shard)))).flat();
      return sortOut(keys);
    },
    async repair() {
      return sortOut(await repairIndexes(records));
    },
  };
  return store;
};

const sortOut = (keys: readonly { pk: string }[]): OpenIds => ({
  volumes: keys.filter((key) => key.pk.startsWith('VOLUME#')).map((key) => idOf(key.pk)),
  migrations: keys.filter((key) => key.pk.startsWith('MIGRATION#')).map((key) => idOf(key.pk)),
});
