import { isClosed, isEnded, type Migration } from '../../../domain/migration/migration.ts';
import type { Outcome, Volume } from '../../../domain/volume/volume.ts';
import type { Stored } from '../../../store/records.ts';
import { VOLUME_ID } from '../factories.ts';
import type { Sim } from './sim.ts';
import { digestOf } from './world.ts';

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
}

const runOf = ({ migrationId, run }: { migrationId: string; run: number }): string => `${migrationId}.${run}`;
const isVolume = (item: Stored | undefined): boolean => item?.sk === 'VOLUME';

export const createChecks = (sim: Sim): Checks => {
  const outcomes = new Map<string, Outcome['result']>();
  let accused: string | undefined;
  const accuse = (what: string): void => {
    accused ??= what;
  };

  /** Looks at the write itself: an outcome that somebody overwrites would be seen by nobody later. */
  const onWrite = (before: Stored | undefined, after: Stored | undefined): void => {
    if (!isVolume(before) && !isVolume(after)) return;
    const was = before?.data as Volume | undefined;
    const is = after?.data as Volume | undefined;
    if (is?.lastOutcome && JSON.stringify(was?.lastOutcome) !== JSON.stringify(is.lastOutcome)) {
      const run = runOf(is.lastOutcome);
      if (outcomes.has(run)) accuse(`run ${run} has ended twice`);
      outcomes.set(run, is.lastOutcome.result);
    }
    if (was?.claim && (!is || (is.claim?.migrationId !== was.claim.migrationId && !outcomes.has(runOf(was.claim))))) {
      accuse(`the claim of run ${runOf(was.claim)} has vanished without an outcome`);
    }
  };
  sim.table.onWrite = onWrite;

  return {
    outcomes,
    accuse,
    broken: () =>
      accused ??
      sim.table.peek
        .volumes()
        .map((volume) => brokenVolume(sim, volume))
        .find(Boolean) ??
      sim.table.peek
        .migrations()
        .map((migration) => brokenRecord(outcomes, migration))
        .find(Boolean) ??
      brokenCapacity(sim) ??
      (sim.errors.length > 0
        ? `unexpected error: ${String((sim.errors[0] as Error).stack ?? sim.errors[0])}`
        : undefined),
    unfinished: () =>
      sim.table.peek.volumes().map(unfinishedVolume).find(Boolean) ??
      sim.table.peek.migrations().map(unfinishedMigration).find(Boolean) ??
      unfinishedExecution(sim) ??
      unfinishedJob(sim) ??
      leftObject(sim) ??
      leftCapacity(sim) ??
      wrongStory(sim),
  };
};

const brokenVolume = ({ world }: Sim, volume: Volume): string | undefined => {
  const { location, retained } = volume;
  for (const { object } of retained) {
    if (!world.objects.has(object.objectName)) return `the kept object ${object.objectName} was removed`;
    if (object.objectName === location?.objectName) return `${object.objectName} is kept and lived on at once`;
  }
  if (!location) return undefined;
  const object = world.objects.get(location.objectName);
  if (!object) return `the object that the volume lives on, ${location.objectName}, is not there`;
  if (volume.id === VOLUME_ID && object.content.join() !== world.truth.join()) {
    return `a guest’s write is lost: ${location.objectName} holds ${digestOf(object.content)}, the guest has written ${digestOf(world.truth)}`;
  }
  return undefined;
};

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

const brokenCapacity = (sim: Sim): string | undefined => {
  const wrong = sim.table.peek
    .pools()
    .find((pool) => pool.reservedBytes !== Object.values(pool.reservations).reduce((a, b) => a + b, 0));
  return wrong && `the reservations of ${wrong.id} do not add up`;
};

const unfinishedVolume = (volume: Volume): string | undefined => {
  if (volume.claim) return `stuck: the claim of ${runOf(volume.claim)} never ends`;
  if (['maintenance', 'creating', 'deleting', 'error_deleting'].includes(volume.status)) {
    return `stuck: the volume is ${volume.status}`;
  }
  return undefined;
};

const unfinishedMigration = (migration: Migration): string | undefined => {
  if (!isEnded(migration)) return `stuck: migration ${migration.id} is ${migration.stage.state}`;
  const left = migration.cleanup.find((entry) => entry.state === 'todo');
  if (left) return `stuck: the cleanup of ${left.objectName} is never done`;
  return isClosed(migration) ? undefined : `stuck: migration ${migration.id} is never settled`;
};

const unfinishedExecution = ({ engine }: Sim): string | undefined => {
  const running = engine.executions().find((execution) => execution.status.state === 'RUNNING');
  return running && `stuck: execution ${running.name} waits in ${running.state}`;
};

const unfinishedJob = ({ table }: Sim): string | undefined => {
  const job = table.peek.jobs().find(({ stage }) => stage.state === 'queued' || stage.state === 'running');
  return job && `stuck: job ${job.id} is ${job.stage.state}`;
};

const leftObject = ({ table, world }: Sim): string | undefined => {
  const wanted = new Set(
    table.peek
      .volumes()
      .flatMap(({ location, retained }) => [location?.objectName, ...retained.map((r) => r.object.objectName)]),
  );
  const left = [...world.objects.keys()].find((name) => !wanted.has(name));
  return left && `left over: the object ${left}`;
};

const leftCapacity = ({ table }: Sim): string | undefined => {
  const pool = table.peek.pools().find(({ reservedBytes }) => reservedBytes > 0);
  return pool && `left over: ${pool.id} still has bytes reserved for ${Object.keys(pool.reservations).join()}`;
};

/** Started comes with an end, an end is told truly, and each word of the cleanup at most once. */
const wrongStory = ({ table, events }: Sim): string | undefined => {
  for (const migration of table.peek.migrations()) {
    const told = events.filter((event) => event.detail.migration_id === migration.id);
    const ends = told.flatMap(({ detail }) => (detail.event_type === 'volume.migrate.end' ? [detail] : []));
    const wanted = migration.stage.state === 'succeeded' ? 'success' : 'error';
    if (ends.some(({ result }) => result !== wanted)) return `${migration.id} was told as what it was not`;
    if (ends.length === 0 && migration.stage.state !== 'refused') return `the end of ${migration.id} was never told`;
    if (new Set(ends.map((end) => JSON.stringify(end))).size > 1) return `${migration.id} has ended in two stories`;
    const cleanups = told.flatMap(({ detail }) => (detail.event_type === 'volume.migrate.cleanup' ? [detail] : []));
    // a call whose answer was lost is made again: a repeat, word for word, is no second event
    const different = new Set(cleanups.map((cleanup) => JSON.stringify(cleanup)));
    if (different.size > new Set(cleanups.map(({ result }) => result)).size) {
      return `the cleanup of ${migration.id} was told twice`;
    }
  }
  return undefined;
};
