import type { Migration } from '../api/types.ts';
import type { WatchPrinter } from './printer.ts';

/** For programs: one migration a line (NDJSON), as the API tells it, each time it has changed. */
export const createJsonPrinter = (write: (migration: Migration) => void): WatchPrinter => {
  const told = new Map<string, string>();
  return {
    update: (views) => {
      for (const { migration } of views) {
        const text = JSON.stringify(migration);
        if (told.get(migration.id) === text) continue;
        told.set(migration.id, text);
        write(migration);
      }
    },
    close: () => undefined,
  };
};
