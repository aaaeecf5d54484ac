import type { Pool } from '../../../domain/host/pool.ts';
import type { Job } from '../../../domain/job/job.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import { memoryRecords } from '../../../store/memory-records.ts';
import type { Records, Stored } from '../../../store/records.ts';
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
  onWrite: (before: Stored | undefined, after: Stored | undefined) => void;
}

export interface Peek {
  readonly volumes: () => Volume[];
  readonly migrations: () => Migration[];
  readonly pools: () => Pool[];
  readonly jobs: () => Job[];
  readonly jobsOf: (hostId: string) => Job[];
}

export const createTable = (turns: Turns): Table => {
  const memory = memoryRecords();
  const seen = new Map<string, Stored>();
  let writes = 0;
  const nameOf = ({ pk, sk }: { pk: string; sk: string }): string => `${pk} ${sk}`;
  const data = <T>(prefix: string, skPrefix: string): T[] =>
    [...seen.values()].filter(({ pk, sk }) => pk.startsWith(prefix) && sk.startsWith(skPrefix)).map((s) => s.data as T);

  const wrote = (key: { pk: string; sk: string }, after: Stored | undefined): void => {
    const before = seen.get(nameOf(key));
    if (after) seen.set(nameOf(key), structuredClone(after));
    else seen.delete(nameOf(key));
    writes += 1;
    table.onWrite(before, after);
  };
  const records: Records = {
    ...memory,
    async put(item, expectedRev) {
      const done = await memory.put(item, expectedRev);
      if (done) wrote(item, item);
      return done;
    },
    async remove(key, expectedRev) {
      const done = await memory.remove(key, expectedRev);
      if (done) wrote(key, undefined);
      return done;
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
      query: (pk, prefix) => turn(thread, `queries ${pk}`, () => records.query(pk, prefix)),
      keysOfKind: (kind, page) => turn(thread, `lists ${kind}`, () => records.keysOfKind(kind, page)),
      openKeys: (shard) => turn(thread, `lists ${shard}`, () => records.openKeys(shard)),
      scan: () => records.scan(),
    };
  };

  const table: Table = {
    records,
    recordsOf,
    writes: () => writes,
    onWrite: () => undefined,
    peek: {
      volumes: () => data<Volume>('VOLUME#', ''),
      migrations: () => data<Migration>('MIGRATION#', ''),
      pools: () => data<Pool>('POOL#', ''),
      jobs: () => data<Job>('HOST#', 'JOB#'),
      jobsOf: (hostId) => data<Job>(`HOST#${hostId}`, 'JOB#').filter((job) => job.hostId === hostId),
    },
  };
  return table;
};
