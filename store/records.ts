import type { Amendment } from '../domain/amendment.ts';
import type { Key } from './keys.ts';

/** What the store needs of a database: single-item conditional writes, consistent reads, and hints from two indexes. */
export interface Records {
  /** Consistent. */
  get(key: Key): Promise<Stored | undefined>;
  /** Consistent; the order is not that of the keys. Each once, however often it is asked for; what is gone is left out. */
  getMany(keys: readonly Key[]): Promise<Stored[]>;
  /** False when the condition failed: the item is not at `expectedRev` (0: it must not exist). */
  put(item: Stored, expectedRev: number): Promise<boolean>;
  remove(key: Key, expectedRev: number): Promise<boolean>;
  /**
   * Changes fields of `data`, at whatever revision it is, and raises that; its index keys stay. False when a condition failed, or
   * there is no item.
   */
  amend(key: Key, by: Amendment, writeId: string): Promise<boolean>;
  /** Consistent; sort keys that begin with `skPrefix`, ascending. */
  query(pk: string, skPrefix: string): Promise<Stored[]>;
  /** A hint. Ascending by kindSort, which is exclusive at `after`. */
  keysOfKind(
    kind: string,
    page: { readonly descending?: boolean; readonly limit?: number; readonly after?: IndexPosition },
  ): Promise<KindPage>;
  /** A hint. */
  openKeys(shard: string): Promise<Key[]>;
  /** Of the items of one partition that have an `openJob`. Consistent, but for a database that a kill has torn. */
  openJobKeys(pk: string): Promise<Key[]>;
  /** Every item, a page at a time: for the sweeper's first pass after a start. */
  scan(): AsyncIterable<Stored>;
}

export interface IndexPosition extends Key {
  readonly kindSort: string;
}

export interface KindPage {
  readonly keys: readonly IndexPosition[];
  readonly next: IndexPosition | undefined;
}

/** One item: its key, its revision (raised by every write), what it holds, and its index keys when it has any. */
export interface Stored extends Key {
  readonly rev: number;
  /** Of the write that made this version: whoever wrote it knows it again. */
  readonly writeId?: string;
  readonly data: unknown;
  readonly kind?: string;
  readonly kindSort?: string;
  readonly open?: string;
  readonly openSort?: string;
  /** The id of a job that has not ended. */
  readonly openJob?: string;
  /** When the database may forget the item, in seconds since the epoch. */
  readonly ttl?: number;
}
