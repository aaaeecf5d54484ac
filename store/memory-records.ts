import { amended } from './amend.ts';
import type { Key } from './keys.ts';
import type { IndexPosition, Records, Stored } from './records.ts';

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
const nameOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;

/** What has been taken over before, and so can be shared: nobody can change it any more. */
const owned = new WeakSet<object>();

/** A copy as it would come back from the wire: without what is undefined, and out of everybody's reach. */
const takeOver = (value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is no number of a table`);
  if (typeof value !== 'object' || value === null || owned.has(value)) return value;
  const copy = Array.isArray(value) ? value.map((inner) => takeOver(inner) ?? null) : copyOf(value);
  owned.add(copy);
  return Object.freeze(copy);
};

const copyOf = (value: object): object => {
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) copy[key] = takeOver(inner);
  return copy;
};

/** One index: rows of one value of its key together. */
const createIndex = () => {
  const rows = new Map<string, Map<string, Stored>>();
  return {
    of: (value: string): Stored[] => [...(rows.get(value)?.values() ?? [])],
    move(name: string, from: string | undefined, to: string | undefined, item: Stored | undefined): void {
      if (from !== undefined && from !== to) rows.get(from)?.delete(name);
      if (to === undefined || !item) return;
      const into = rows.get(to) ?? new Map<string, Stored>();
      rows.set(to, into.set(name, item));
    },
  };
};

/**
 * Records in memory with the same conditional-write semantics, for simulations and properties. `test/store` runs one
 * conformance suite over this and the real engine. What it gives out is frozen instead of copied: a simulation reads a lot.
 */
export const memoryRecords = (): Records => {
  const items = new Map<string, Stored>();
  const partitions = createIndex();
  const kinds = createIndex();
  const shards = createIndex();

  const replace = (key: Key, next: Stored | undefined): void => {
    const name = nameOf(key);
    const before = items.get(name);
    if (next) items.set(name, next);
    else items.delete(name);
    partitions.move(name, before?.pk, next?.pk, next);
    kinds.move(name, before?.kind, next?.kind, next);
    shards.move(name, before?.open, next?.open, next);
  };
  const matches = (key: Key, expectedRev: number): boolean => (items.get(nameOf(key))?.rev ?? 0) === expectedRev;

  return {
    get: async (key) => items.get(nameOf(key)),
    getMany: async (keys) =>
      [...new Set(keys.map(nameOf))].map((name) => items.get(name)).filter((item) => item !== undefined),
    async put(item, expectedRev) {
      if (!matches(item, expectedRev)) return false;
      replace(item, takeOver(item) as Stored);
      return true;
    },
    async remove(key, expectedRev) {
      if (!matches(key, expectedRev) || expectedRev === 0) return false;
      replace(key, undefined);
      return true;
    },
    async amend(key, by, writeId) {
      const item = items.get(nameOf(key));
      const data = item && amended(item.data, by);
      if (!item || data === undefined) return false;
      replace(key, takeOver({ ...item, rev: item.rev + 1, writeId, data }) as Stored);
      return true;
    },
    query: async (pk, skPrefix) =>
      partitions
        .of(pk)
        .filter((item) => item.sk.startsWith(skPrefix))
        .sort((a, b) => compare(a.sk, b.sk)),
    async keysOfKind(kind, { descending = false, limit, after }) {
      const order = (a: IndexPosition, b: IndexPosition): number => {
        const up = compare(a.kindSort, b.kindSort) || compare(nameOf(a), nameOf(b));
        return descending ? -up : up;
      };
      const rows = kinds
        .of(kind)
        .map(({ pk, sk, kindSort = '' }) => ({ pk, sk, kindSort }))
        .sort(order)
        .filter((row) => !after || order(after, row) < 0);
      const keys = rows.slice(0, limit ?? rows.length);
      return { keys, next: keys.length < rows.length ? keys.at(-1) : undefined };
    },
    openKeys: async (shard) => shards.of(shard).map(({ pk, sk }) => ({ pk, sk })),
    openJobKeys: async (pk) =>
      partitions
        .of(pk)
        .filter(({ openJob }) => openJob !== undefined)
        .map((item) => ({ pk, sk: item.sk })),
    async *scan() {
      yield* [...items.values()];
    },
  };
};
