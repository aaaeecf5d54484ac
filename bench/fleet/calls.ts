import type { FrontOptions } from '../../embedded/front/front.ts';

/** Counts the calls that AWS clients make, the functions' own included, and tells whose migration a table write is for. */
export interface Calls {
  readonly heard: NonNullable<FrontOptions['onCall']>;
  /** Table writes by migration, those whose condition failed included. */
  writes(): ReadonlyMap<string, number>;
  /** The same writes, of all migrations, by kind of item. */
  readonly writesByKind: ReadonlyMap<string, number>;
  /** Table writes that are for no single migration, by kind of item. `POOL` reserves or gives back, `report` tells of a pool. */
  readonly sharedWrites: ReadonlyMap<string, number>;
  /** Calls by `Service.Operation`. */
  readonly operations: ReadonlyMap<string, number>;
  reset(): void;
}

interface ItemOnWire {
  readonly pk?: { readonly S: string };
  readonly sk?: { readonly S: string };
}

const WRITES = new Set(['PutItem', 'DeleteItem', 'UpdateItem']);
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

const raise = (counts: Map<string, number>, of: string): void => void counts.set(of, (counts.get(of) ?? 0) + 1);

/** `migrationOf`: the one of a volume; the first id in a job's name is its migration's or, in a removal's, its volume's. */
export const countCalls = (migrationOf: (volumeId: string) => string | undefined): Calls => {
  /** By volume or migration: which is whose is known only when the request for it was answered. */
  const byId = new Map<string, number>();
  const writesByKind = new Map<string, number>();
  const sharedWrites = new Map<string, number>();
  const operations = new Map<string, number>();
  const wrote = ({ pk, sk }: ItemOnWire, operation: string): void => {
    const name = (pk?.S.startsWith('HOST#') ? sk?.S : pk?.S) ?? '';
    const kind = name.split('#')[0] ?? '';
    const id = UUID.exec(name)?.[0];
    // a reservation amends what is there, upkeep writes it anew
    if (kind === 'POOL') raise(sharedWrites, operation === 'UpdateItem' ? kind : 'report');
    else if (id === undefined) raise(sharedWrites, kind);
    else {
      raise(byId, id);
      raise(writesByKind, kind);
    }
  };
  return {
    writes() {
      const writes = new Map<string, number>();
      for (const [id, count] of byId) {
        const migration = migrationOf(id) ?? id;
        writes.set(migration, (writes.get(migration) ?? 0) + count);
      }
      return writes;
    },
    writesByKind,
    sharedWrites,
    operations,
    heard({ target, body }) {
      const [service = '', operation = ''] = target.split('.');
      raise(operations, `${service.replace(/_\d+$/, '')}.${operation}`);
      if (!WRITES.has(operation)) return;
      const { Item, Key } = JSON.parse(body.toString('utf8')) as { Item?: ItemOnWire; Key?: ItemOnWire };
      wrote(Item ?? Key ?? {}, operation);
    },
    reset() {
      for (const counts of [byId, writesByKind, sharedWrites, operations]) counts.clear();
    },
  };
};
