import type { Migration } from '../../../domain/migration/migration.ts';
import type { Outcome } from '../../../domain/volume/volume.ts';
import { unfinished } from './check-end.ts';
import { createStorageChecks } from './check-storage.ts';
import { checkWrite, runOf } from './check-writes.ts';
import type { Sim } from './sim.ts';

/** What must hold after every step, and what must hold when nothing is left to do (model/protocol.mjs, in words). */
export interface Checks {
  /** What is wrong now; undefined when all is well. */
  readonly broken: () => string | undefined;
  /** What is left undone; asked only when nothing moves any more. */
  readonly unfinished: () => string | undefined;
  /** Called by whoever sees something that may never happen. */
  readonly accuse: (what: string) => void;
  /** How the runs have ended, whatever anybody has recorded: `<migration>.<run>` to its result. */
  readonly outcomes: ReadonlyMap<string, Outcome['result']>;
  /** Somebody gives up what the guest has written since a source was left; who dies over it may yet have done so. */
  readonly whileDiscarding: <T>(restore: () => Promise<T>) => Promise<T>;
}

const brokenRecord = (outcomes: Checks['outcomes'], migration: Migration): string | undefined => {
  const happened = outcomes.get(runOf({ migrationId: migration.id, run: migration.run }));
  switch (migration.stage.state) {
    case 'succeeded':
      return happened === 'success' ? undefined : `${migration.id} says succeeded, but it was ${happened}`;
    case 'failed':
      return happened === 'success' ? `${migration.id} says failed, but it has succeeded` : undefined;
    case 'refused':
      return happened === 'success' ? `${migration.id} was refused, but it has succeeded` : undefined;
    case 'requested':
    case 'running':
      return undefined;
  }
};

export const createChecks = (sim: Sim): Checks => {
  const outcomes = new Map<string, Outcome['result']>();
  let accused: string | undefined;
  const accuse = (what: string): void => {
    accused ??= what;
  };
  const storage = createStorageChecks(sim, accuse);
  sim.table.watch(checkWrite(outcomes, accuse));
  sim.table.watch(storage.onWrite);
  sim.turns.watch(storage.onTurn);

  let checkedAt = -1;
  /** Changes with writes alone. */
  const brokenRecords = (): string | undefined => {
    if (checkedAt === sim.table.writes()) return undefined;
    checkedAt = sim.table.writes();
    for (const migration of sim.table.peek.migrations()) {
      const broken = brokenRecord(outcomes, migration);
      if (broken !== undefined) return broken;
    }
    return undefined;
  };

  return {
    outcomes,
    accuse,
    whileDiscarding: (restore) => storage.whileDiscarding(restore),
    broken: () =>
      accused ??
      storage.broken() ??
      brokenRecords() ??
      (sim.errors.length > 0
        ? `unexpected error: ${String((sim.errors[0] as Error).stack ?? sim.errors[0])}`
        : undefined),
    unfinished: () => unfinished(sim),
  };
};
