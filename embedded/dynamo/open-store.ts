import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import dynalite from 'dynalite/db/index.js';

/** Opens dynalite's LevelDB. One process at a time: LevelDB's own lock says so, and the error says it in words. */

export type StorePlace = { readonly dir: string } | { readonly memory: true };

const AT_ONCE = { createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 };

export const openStore = async (place: StorePlace): Promise<DynaliteStore> => {
  if ('memory' in place) return dynalite.create(AT_ONCE);
  await mkdir(place.dir, { recursive: true });
  const store = dynalite.create({ ...AT_ONCE, path: place.dir });
  try {
    await store.db.open();
  } catch (cause) {
    throw new Error(
      `The table data in ${place.dir} cannot be opened (${reasonOf(cause)}). ` +
        'If another volmove process uses this directory, stop it or choose another data directory.',
      { cause },
    );
  }
  await finishTableCreation(store);
  return store;
};

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
};

/** A kill between a CreateTable's two writes leaves the table in CREATING, and dynalite would refuse it for ever. */
const finishTableCreation = async (store: DynaliteStore): Promise<void> => {
  for await (const [key, table] of store.db.iterator({ gte: 'table~', lt: 'table~\xff' })) {
    if (isCreating(table)) await store.db.put(key, { ...table, TableStatus: 'ACTIVE' });
  }
};

const isCreating = (table: unknown): table is { TableStatus: 'CREATING' } =>
  typeof table === 'object' && table !== null && 'TableStatus' in table && table.TableStatus === 'CREATING';

/** dynalite makes a new table usable some turns after its answer; a caller of the embedded cloud need not wait and ask. */
export const tableUsable = async (store: DynaliteStore, tableName: string): Promise<void> => {
  while (isCreating(await store.db.get(`table~${tableName}`))) await nextTurn();
};
