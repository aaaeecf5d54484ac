import type { EventDetail } from '../../../domain/event.ts';
import { isClosed, isEnded, type Migration } from '../../../domain/migration/migration.ts';
import { parseObjectName } from '../../../domain/names.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import { runOf } from './check-writes.ts';
import type { Sim } from './sim.ts';

/** What must be when nothing moves any more: everything has ended, nothing is left over, and it was told as it was. */

const unfinishedVolume = (volume: Volume): string | undefined => {
  if (volume.claim) return `stuck: the claim of ${runOf(volume.claim)} never ends`;
  if (['maintenance', 'creating', 'managing', 'deleting', 'error_deleting'].includes(volume.status)) {
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
  // what others have made is theirs, unless a volume had taken it over and given it up again
  const givenUp = table.peek.migrations().flatMap(({ cleanup }) => cleanup.map(({ objectName }) => objectName));
  const ours = (name: string): boolean => parseObjectName(name) !== undefined || givenUp.includes(name);
  const left = [...world.objects.keys()].find((name) => !wanted.has(name) && ours(name));
  return left && `left over: the object ${left}`;
};

const leftMove = ({ world }: Sim): string | undefined => {
  const [name] = world.ownMoves.keys();
  return name && `stuck: the backend still moves ${name}`;
};

const leftCapacity = ({ table }: Sim): string | undefined => {
  const pool = table.peek.pools().find(({ reservedBytes }) => reservedBytes > 0);
  return pool && `left over: ${pool.id} still has bytes reserved for ${Object.keys(pool.reservations).join()}`;
};

type Told = readonly EventDetail[];
const ofType = (told: Told, type: EventDetail['event_type']): Told => told.filter((d) => d.event_type === type);
/** A call whose answer was lost is made again: a repeat, word for word, is no second event. */
const different = (told: Told): number => new Set(told.map((detail) => JSON.stringify(detail))).size;

const wrongRun = (id: string, told: Told, run: number, refused: boolean): string | undefined => {
  const of = told.filter((detail) => detail.run === run);
  const starts = different(ofType(of, 'volume.migrate.start'));
  const ends = different(ofType(of, 'volume.migrate.end'));
  if (starts > 1) return `run ${run} of ${id} was started in two stories`;
  if (ends > 1) return `run ${run} of ${id} has ended in two stories`;
  if (refused) return undefined;
  if (starts === 0) return `the start of run ${run} of ${id} was never told`;
  return ends === 0 ? `the end of run ${run} of ${id} was never told` : undefined;
};

/** Repeats aside, what the control plane tells of a migration never goes back. */
const wrongOrder = (id: string, told: Told): string | undefined => {
  const known = new Set<number>();
  let last = 0;
  for (const { sequence, event_type: type } of told) {
    if (known.has(sequence)) continue;
    known.add(sequence);
    if (sequence < last) return `${id} is told in the wrong order: ${type} ${sequence} after ${last}`;
    last = sequence;
  }
  return undefined;
};

const wrongTale = (migration: Migration, told: Told): string | undefined => {
  const { id, stage } = migration;
  const ends = ofType(told, 'volume.migrate.end') as (EventDetail & { result: string })[];
  const wanted = stage.state === 'succeeded' ? 'success' : 'error';
  const lastRun = Math.max(0, ...ends.map(({ run }) => run));
  if (ends.some(({ run, result }) => result !== (run === lastRun ? wanted : 'error')))
    return `${id} was told as what it was not`;
  const refused = stage.state === 'refused';
  if (!refused && ends.length === 0) return `the end of ${id} was never told`;
  const cleanups = ofType(told, 'volume.migrate.cleanup') as (EventDetail & { result: string })[];
  const kinds = new Set(cleanups.map(({ run, result }) => `${run} ${result}`));
  if (different(cleanups) > kinds.size) return `the cleanup of ${id} was told twice`;
  const runs = [...new Set(told.map(({ run }) => run))];
  return runs.map((run) => wrongRun(id, told, run, refused)).find(Boolean) ?? wrongOrder(id, told);
};

const wrongStory = ({ table, events }: Sim): string | undefined => {
  const byMigration = Map.groupBy(
    events.map(({ detail }) => detail).filter(({ event_type: type }) => !/progress|stalled/.test(type)),
    (detail) => detail.migration_id,
  );
  return table.peek
    .migrations()
    .map((migration) => wrongTale(migration, byMigration.get(migration.id) ?? []))
    .find(Boolean);
};

export const unfinished = (sim: Sim): string | undefined =>
  sim.table.peek.volumes().map(unfinishedVolume).find(Boolean) ??
  sim.table.peek.migrations().map(unfinishedMigration).find(Boolean) ??
  unfinishedExecution(sim) ??
  unfinishedJob(sim) ??
  leftMove(sim) ??
  leftObject(sim) ??
  leftCapacity(sim) ??
  wrongStory(sim);
