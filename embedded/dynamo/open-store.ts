import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import dynalite from 'dynalite/db/index.js';
import { tableDefinition } from '../../store/table.ts';

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
  await addJobIndex(store);
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

/**
 * A table that was made before agents listed their open jobs by an index gets it; the repair at every start fills in its rows. On AWS
 * no index of this kind can be added, and no table is older.
 */
const addJobIndex = async (store: DynaliteStore): Promise<void> => {
  const { AttributeDefinitions, LocalSecondaryIndexes = [] } = tableDefinition('any');
  for await (const [key, table] of store.db.iterator({ gte: 'table~', lt: 'table~\xff' })) {
    if (typeof table !== 'object' || table === null || 'LocalSecondaryIndexes' in table) continue;
    const indexes = LocalSecondaryIndexes.map((index) => ({ ...index, IndexSizeBytes: 0, ItemCount: 0 }));
    await store.db.put(key, { ...table, AttributeDefinitions, LocalSecondaryIndexes: indexes });
  }
};

const isCreating = (table: unknown): table is { TableStatus: 'CREATING' } =>
  typeof table === 'object' && table !== null && 'TableStatus' in table && table.TableStatus === 'CREATING';

/** dynalite makes a new table usable some turns after its answer; a caller of the embedded cloud need not wait and ask. */
export const tableUsable = async (store: DynaliteStore, tableName: string): Promise<void> => {
  while (isCreating(await store.db.get(`table~${tableName}`))) await nextTurn();
};
