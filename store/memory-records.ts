import type { IndexPosition, Records, Stored } from './records.ts';

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * Records in memory with the same conditional-write semantics, for simulations and properties. `test/store` runs one
 * conformance suite over this and the real engine. Everything goes through JSON, as it would on the wire.
 */
export const memoryRecords = (): Records => {
  const items = new Map<string, string>();
  const name = (key: { pk: string; sk: string }): string => `${key.pk} ${key.sk}`;
  const read = (key: { pk: string; sk: string }): Stored | undefined => {
    const text = items.get(name(key));
    return text === undefined ? undefined : (JSON.parse(text) as Stored);
  };
  const all = (): Stored[] => [...items.values()].map((text) => JSON.parse(text) as Stored);
  const matches = (key: { pk: string; sk: string }, expectedRev: number): boolean =>
    (read(key)?.rev ?? 0) === expectedRev;

  return {
    get: async (key) => read(key),
    getMany: async (keys) => keys.map(read).filter((item) => item !== undefined),
    async put(item, expectedRev) {
      if (!matches(item, expectedRev)) return false;
      items.set(name(item), JSON.stringify(item));
      return true;
    },
    async remove(key, expectedRev) {
      return matches(key, expectedRev) && expectedRev > 0 && items.delete(name(key));
    },
    query: async (pk, skPrefix) =>
      all()
        .filter((item) => item.pk === pk && item.sk.startsWith(skPrefix))
        .sort((a, b) => (a.sk < b.sk ? -1 : 1)),
    async keysOfKind(kind, { descending = false, limit, after }) {
      const order = (a: IndexPosition, b: IndexPosition): number => {
        const up = compare(a.kindSort, b.kindSort) || compare(name(a), name(b));
        return descending ? -up : up;
      };
      const rows = all()
        .filter((item) => item.kind === kind)
        .map(({ pk, sk, kindSort = '' }) => ({ pk, sk, kindSort }))
        .sort(order)
        .filter((row) => !after || order(after, row) < 0);
      const keys = rows.slice(0, limit ?? rows.length);
      return { keys, next: keys.length < rows.length ? keys.at(-1) : undefined };
    },
    openKeys: async (shard) =>
      all()
        .filter((item) => item.open === shard)
        .map(({ pk, sk }) => ({ pk, sk })),
    async *scan() {
      yield* all();
    },
  };
};
