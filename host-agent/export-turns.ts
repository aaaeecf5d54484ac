import { exportName, parseExportName, parseHashExportName } from '../domain/names.ts';
import { createTurnsOf, type InTurn } from './in-turn.ts';
import type { GenerationJournal } from './journal/generations.ts';

/**
 * One decision at a time about an object: two connections can never both believe that they are the highest generation. A storage
 * that flushes for minutes holds up nobody else's.
 */
export const exportTurns = (journal: Pick<GenerationJournal, 'get'>) => {
  const ofObject = createTurnsOf();
  const lineOf = (migrationId: string, run: number): string =>
    journal.get(migrationId, run)?.object.objectName ?? exportName(migrationId, run, 0);
  const ofRun =
    (migrationId: string, run: number): InTurn =>
    async (act) => {
      for (;;) {
        const line = lineOf(migrationId, run);
        // it may have been admitted while it waited
        const done = await ofObject(line)(async () =>
          lineOf(migrationId, run) === line ? { value: await act() } : undefined,
        );
        if (done) return done.value;
      }
    };
  return {
    ofObject,
    ofRun,
    ofExport(name: string): InTurn {
      const asked = parseExportName(name) ?? parseHashExportName(name);
      return asked ? ofRun(asked.migrationId, asked.run) : ofObject(name);
    },
    /** Resolves when everything that was asked for until now is over. */
    idle: () => ofObject.idle(),
  };
};
