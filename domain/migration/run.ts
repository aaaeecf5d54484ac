import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import type { ObjectRef, Placement } from '../placement.ts';
import type { MigrationOptions } from '../volume/volume.ts';
import {
  isEnded,
  type JobRef,
  type Migration,
  type Phase,
  phaseName,
  type Reservation,
  type RunObject,
  type StoryEntry,
} from './migration.ts';
import { NEXT_PHASES } from './phases.ts';

/** Writes of a run that is going on. Each is conditional on run >= the stored run and on not ended (design section 3). */

export interface NewMigration {
  readonly id: string;
  readonly volume: {
    readonly id: string;
    readonly projectId: string;
    readonly name: string | null;
    readonly sizeBytes: number;
  };
  readonly source: ObjectRef;
  readonly destination: Placement;
  readonly options: MigrationOptions;
  readonly requestedBy: string;
  readonly requestHash: string | null;
  readonly nowMs: number;
}

export const newMigration = (asked: NewMigration): Migration => ({
  id: asked.id,
  volumeId: asked.volume.id,
  projectId: asked.volume.projectId,
  volumeName: asked.volume.name,
  sizeBytes: asked.volume.sizeBytes,
  run: 1,
  source: asked.source,
  destination: asked.destination,
  options: asked.options,
  requestedBy: asked.requestedBy,
  requestedAtMs: asked.nowMs,
  requestHash: asked.requestHash,
  wishes: { cancel: null, pause: null, bandwidth: null },
  jobs: [],
  objects: [],
  reservation: null,
  cleanup: [],
  endedTold: false,
  jobsEnded: false,
  cleanupNotices: [],
  cleanupTold: { done: false, needsYou: false },
  report: null,
  story: [{ atMs: asked.nowMs, run: 1, who: asked.requestedBy, from: 'none', to: 'requested', why: null }],
  stage: { state: 'requested' },
  updatedAtMs: asked.nowMs,
});

export const tell = (
  migration: Migration,
  to: string,
  who: string,
  nowMs: number,
  why: string | null = null,
  run = migration.run,
): StoryEntry[] => [...migration.story, { atMs: nowMs, run, who, from: phaseName(migration), to, why }];

/** Undefined when a step of this run may still write to the migration. */
export const closedTo = (migration: Migration, run: number): ReturnType<typeof volmoveError> | undefined => {
  if (run < migration.run) return volmoveError('Superseded', { run });
  if (isEnded(migration)) {
    const why = migration.stage.state === 'succeeded' ? 'the migration has succeeded' : migration.stage.reason.message;
    return volmoveError('ClaimLost', { reason: why });
  }
  return undefined;
};

/** Runs that get no further than the one before are told once, and the last of them: they may be many. */
const lastOfMany = (story: StoryEntry[]): StoryEntry[] => {
  const [before, again, now] = story.slice(-3);
  const same = now !== undefined && [before, again].every((entry) => entry?.to === now.to && entry.run < now.run);
  return same ? story.toSpliced(-2, 1) : story;
};

export interface EnterPhase {
  readonly run: number;
  readonly phase: Phase;
  readonly who: string;
  readonly nowMs: number;
  readonly why?: string;
  readonly job?: JobRef;
  /** Jobs of earlier runs that nobody will ask for. */
  readonly forgets?: readonly string[];
  readonly object?: RunObject;
  readonly reservation?: Reservation;
}

/** The object that a retry goes on with is its own from now on. */
const withObject = (objects: readonly RunObject[], mine: RunObject | undefined): readonly RunObject[] => {
  const known = objects.find((object) => object.objectName === mine?.objectName);
  if (!mine || (known && known.run >= mine.run)) return objects;
  return known ? objects.map((object) => (object === known ? mine : object)) : [...objects, mine];
};

const missing = <T>(list: readonly T[], item: T | undefined, same: (a: T, b: T) => boolean): readonly T[] =>
  item === undefined || list.some((x) => same(x, item)) ? list : [...list, item];

const mayEnter = (migration: Migration, run: number, phase: Phase): boolean => {
  if (run > migration.run || migration.stage.state === 'requested') return true;
  return migration.stage.state === 'running' && NEXT_PHASES[migration.stage.phase].includes(phase);
};

/** A run enters a phase: the job, object and reservation that it is about to use are written before they exist. */
export const enterPhase =
  (command: EnterPhase) =>
  (migration: Migration): Decision<Migration> => {
    const closed = closedTo(migration, command.run);
    if (closed) return refuse(closed);
    const { run, phase, nowMs } = command;
    const { forgets = [] } = command;
    const kept = forgets.length === 0 ? migration.jobs : migration.jobs.filter(({ jobId }) => !forgets.includes(jobId));
    const jobs = missing(kept, command.job, (a, b) => a.jobId === b.jobId && a.hostId === b.hostId);
    const objects = withObject(migration.objects, command.object);
    const reservation = migration.reservation ?? command.reservation ?? null;
    const here = migration.run === run && migration.stage.state === 'running' && migration.stage.phase === phase;
    if (here && jobs === migration.jobs && objects === migration.objects && reservation === migration.reservation)
      return already(migration);
    if (!here && !mayEnter(migration, run, phase)) {
      return refuse(
        volmoveError('ClaimLost', { reason: `run ${run} is ${phaseName(migration)} already, ${phase} comes too late` }),
      );
    }
    return write({
      ...migration,
      run,
      jobs,
      objects,
      reservation,
      story: here ? migration.story : lastOfMany(tell(migration, phase, command.who, nowMs, command.why ?? null, run)),
      stage: here ? migration.stage : { state: 'running', phase, phaseSinceMs: nowMs },
      updatedAtMs: nowMs,
    });
  };

/** A wish, not an act: the next step or the active job reads it. */
export const wishCancel =
  (by: string, nowMs: number) =>
  (migration: Migration): Decision<Migration> => {
    if (isEnded(migration))
      return refuse(volmoveError('TooLate', { id: migration.id, state: `it has ${migration.stage.state}` }));
    if (migration.wishes.cancel) return already(migration);
    return write({
      ...migration,
      wishes: { ...migration.wishes, cancel: { by, atMs: nowMs } },
      story: tell(migration, phaseName(migration), by, nowMs, 'cancel was asked for'),
      updatedAtMs: nowMs,
    });
  };
