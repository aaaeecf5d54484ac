import type { Host } from '../../../domain/host/host.ts';
import type { Pool } from '../../../domain/host/pool.ts';
import type { Job } from '../../../domain/job/job.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Key } from '../../../store/keys.ts';
import { memoryRecords } from '../../../store/memory-records.ts';
import type { IndexPosition, Records, Stored } from '../../../store/records.ts';
import type { Thread, Turns } from './turns.ts';

/** The table of a simulation: conditional writes as ever, and beside them a look from outside that costs no turn. */
export interface Table {
  /** Not scheduled: for preparing a test. */
  readonly records: Records;
  /** The same records as one thread sees them: each operation is a turn. */
  readonly recordsOf: (thread: Thread) => Records;
  readonly peek: Peek;
  /** Counts writes that took effect. */
  readonly writes: () => number;
  /** Called with each write that took effect, before anybody hears of it. */
  readonly watch: (watcher: Watcher) => void;
  /** True: the index rows of the write that was just made are not there yet. */
  lags: () => boolean;
  /** The indexes catch up. True when there was something that they did not know. */
  readonly catchUp: () => boolean;
}

export type Watcher = (before: Stored | undefined, after: Stored | undefined) => void;

export interface Peek {
  readonly volumes: () => readonly Volume[];
  readonly migrations: () => readonly Migration[];
  readonly pools: () => readonly Pool[];
  readonly hosts: () => readonly Host[];
  readonly jobs: () => readonly Job[];
  readonly jobsOf: (hostId: string) => Job[];
}

const nameOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
const KINDS = ['VOLUME#', 'MIGRATION#', 'POOL#', 'HOST', 'JOB#', 'TOKEN#', 'ADOPTED#'] as const;
type Kind = (typeof KINDS)[number];

/** A host's item, its jobs and their tokens share a partition; so do a pool's item and what was taken over in it. */
const kindOf = ({ pk, sk }: Key): Kind =>
  KINDS.find((kind) => (pk.startsWith('HOST#') || sk.startsWith('ADOPTED#') ? sk : pk).startsWith(kind)) ?? 'HOST';

/** Everything of one kind, in the order in which it was made. */
const createLists = () => {
  const items = new Map(KINDS.map((kind) => [kind, new Map<string, Stored>()]));
  const lists = new Map<Kind, readonly unknown[]>();
  return {
    get: (key: Key): Stored | undefined => items.get(kindOf(key))?.get(nameOf(key)),
    set(key: Key, after: Stored | undefined): void {
      const kind = kindOf(key);
      if (after) items.get(kind)?.set(nameOf(key), after);
      else items.get(kind)?.delete(nameOf(key));
      lists.delete(kind);
    },
    of<T>(kind: Kind): readonly T[] {
      const list = lists.get(kind) ?? [...(items.get(kind)?.values() ?? [])].map(({ data }) => data);
      lists.set(kind, list);
      return list as readonly T[];
    },
  };
};

const indexKeys = (item: Stored | undefined): string => `${item?.kind} ${item?.kindSort} ${item?.open}`;

/** What the indexes do not know yet: the rows that they still have instead, by the item's name. */
const createLag = () => {
  const old = new Map<string, { readonly key: Key; readonly row: Stored | undefined }>();
  const asItWas = <T extends Key>(rows: readonly T[], had: (row: Stored) => boolean, make: (row: Stored) => T): T[] => [
    ...rows.filter((row) => !old.has(nameOf(row))),
    ...[...old.values()].flatMap(({ row }) => (row && had(row) ? [make(row)] : [])),
  ];
  return {
    wrote(key: Key, before: Stored | undefined, after: Stored | undefined, lags: () => boolean): void {
      if (indexKeys(before) === indexKeys(after)) return;
      if (lags() && !old.has(nameOf(key))) old.set(nameOf(key), { key, row: before });
    },
    catchUp(): boolean {
      const behind = old.size > 0;
      old.clear();
      return behind;
    },
    open: (rows: readonly Key[], shard: string): Key[] =>
      asItWas<Key>(
        rows,
        (row) => row.open === shard,
        ({ pk, sk }) => ({ pk, sk }),
      ),
    kind: (rows: readonly IndexPosition[], kind: string): IndexPosition[] =>
      asItWas<IndexPosition>(
        rows,
        (row) => row.kind === kind,
        ({ pk, sk, kindSort = '' }) => ({ pk, sk, kindSort }),
      ),
  };
};

export const createTable = (turns: Turns): Table => {
  const memory = memoryRecords();
  const seen = createLists();
  const lag = createLag();
  const watchers: Watcher[] = [];
  let writes = 0;

  const wrote = async (key: Key): Promise<void> => {
    const before = seen.get(key);
    const after = await memory.get(key);
    seen.set(key, after);
    lag.wrote(key, before, after, table.lags);
    writes += 1;
    for (const watcher of watchers) watcher(before, after);
  };
  const records: Records = {
    ...memory,
    async put(item, expectedRev) {
      const done = await memory.put(item, expectedRev);
      if (done) await wrote(item);
      return done;
    },
    async remove(key, expectedRev) {
      const done = await memory.remove(key, expectedRev);
      if (done) await wrote(key);
      return done;
    },
    async amend(key, by, writeId) {
      const done = await memory.amend(key, by, writeId);
      if (done) await wrote(key);
      return done;
    },
    openKeys: async (shard) => lag.open(await memory.openKeys(shard), shard),
    async keysOfKind(kind, page) {
      const found = await memory.keysOfKind(kind, page);
      return page.limit === undefined ? { ...found, keys: lag.kind(found.keys, kind) } : found;
    },
  };

  const recordsOf = (thread: Thread): Records => {
    const { turn } = turns;
    return {
      get: (key) => turn(thread, `reads ${nameOf(key)}`, () => records.get(key)),
      getMany: (keys) => turn(thread, `reads ${keys.length} items`, () => records.getMany(keys)),
      put: (item, expectedRev) => {
        const act = (): Promise<boolean> => records.put(item, expectedRev);
        return turn(thread, `writes ${nameOf(item)} over ${expectedRev}`, act, { again: act });
      },
      remove: (key, expectedRev) => {
        const act = (): Promise<boolean> => records.remove(key, expectedRev);
        return turn(thread, `removes ${nameOf(key)}`, act, { again: act });
      },
      amend: (key, by, writeId) => {
        const act = (): Promise<boolean> => records.amend(key, by, writeId);
        return turn(thread, `writes ${nameOf(key)} beside others`, act, { again: act });
      },
      query: (pk, prefix) => turn(thread, `queries ${pk}`, () => records.query(pk, prefix)),
      keysOfKind: (kind, page) => turn(thread, `lists ${kind}`, () => records.keysOfKind(kind, page)),
      openKeys: (shard) => turn(thread, `lists ${shard}`, () => records.openKeys(shard)),
      openJobKeys: (pk) => turn(thread, `lists jobs of ${pk}`, () => records.openJobKeys(pk)),
      scan: () => records.scan(),
    };
  };

  const table: Table = {
    records,
    recordsOf,
    writes: () => writes,
    watch: (watcher) => void watchers.push(watcher),
    lags: () => false,
    catchUp: () => lag.catchUp(),
    peek: {
      volumes: () => seen.of<Volume>('VOLUME#'),
      migrations: () => seen.of<Migration>('MIGRATION#'),
      pools: () => seen.of<Pool>('POOL#'),
      hosts: () => seen.of<Host>('HOST'),
      jobs: () => seen.of<Job>('JOB#'),
      jobsOf: (hostId) => seen.of<Job>('JOB#').filter((job) => job.hostId === hostId),
    },
  };
  return table;
};
