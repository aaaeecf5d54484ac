import type { Migration } from './migration/migration.ts';
import { isEnded } from './migration/migration.ts';
import { parseObjectName } from './names.ts';
import { removable } from './volume/retained.ts';
import type { Volume } from './volume/volume.ts';

/**
 * What an object that lies in a pool is, by the removal rule (design section 3). `wanted` is never removed. A `leftover` is of
 * a volume or migration that this service knows, and nobody refers to it; as references are never reused, that stays true.
 * `unknown`: a pool may be shared with another installation, whose names look the same: only a person can tell.
 */
export interface Judgement {
  readonly verdict: 'wanted' | 'leftover' | 'unknown';
  readonly why: string;
}

export interface FoundInPool {
  readonly objectName: string;
  /** Undefined: not asked for. */
  readonly madeAtMs?: number | null;
  /** A consistent read of the volume whose id is in the name; undefined when there is none. */
  readonly volume: Volume | undefined;
  /** The same of the migration whose id is in the name. */
  readonly migration: Migration | undefined;
  readonly nowMs: number;
}

/** What is younger may be another installation's, which has not written it down yet. */
export const YOUNG_MS = 3_600_000;

const wanted = (why: string): Judgement => ({ verdict: 'wanted', why });
const unknown = (why: string): Judgement => ({ verdict: 'unknown', why });

const DELETING = ['deleting', 'error_deleting'];

/** The volume's own create may still make it, or has and has not written it down. */
const mayBeMade = (volume: Volume, operation: number): boolean =>
  volume.location === null && volume.operation === operation && !DELETING.includes(volume.status);

/** A name that nothing has made yet: one that is removed under it today could be another by the time the removal runs. */
const notMadeYet = ({ objectName, volume, migration }: FoundInPool): boolean => {
  const made = parseObjectName(objectName)?.made;
  if (!made) return false;
  return 'run' in made
    ? migration !== undefined && made.run > migration.run
    : volume !== undefined && made.operation > volume.operation;
};

/** Why somebody needs the object, or may be about to make it; undefined when nobody does. */
const wantedBy = (found: FoundInPool): string | undefined => {
  const { objectName, volume, migration } = found;
  const made = parseObjectName(objectName)?.made ?? undefined;
  const run = made && 'run' in made ? made : undefined;
  if (run && migration && !isEnded(migration)) return `migration ${migration.id} has not ended`;
  if (notMadeYet(found)) return 'nothing has made it yet, and it may still be made';
  if (!volume) return undefined;
  if (volume.location?.objectName === objectName) return `volume ${volume.id} lives on it`;
  if (!removable(volume, objectName)) return `volume ${volume.id} keeps it`;
  // any run of the migration: a later one may carry on with what an earlier one has made
  if (run && volume.claim?.migrationId === run.migrationId) return `migration ${run.migrationId} has the volume`;
  if (made && 'operation' in made && mayBeMade(volume, made.operation)) return `volume ${volume.id} is being created`;
  return undefined;
};

const minutes = (ms: number): string => `${Math.max(0, Math.floor(ms / 60_000))} min`;

export const judge = (found: FoundInPool): Judgement => {
  const { objectName, volume, migration, madeAtMs, nowMs } = found;
  const name = parseObjectName(objectName);
  if (!name) return unknown('its name is not of the form that volmove gives');
  const why = wantedBy(found);
  if (why !== undefined) return wanted(why);
  if (!volume && migration?.volumeId !== name.volumeId)
    return unknown(
      `volume ${name.volumeId} is not known here: it was deleted, or belongs to another installation that shares the pool`,
    );
  if (name.made === null) return unknown('no create and no migration gives such a name');
  if (madeAtMs === null) return unknown('nobody knows when it was made');
  if (madeAtMs !== undefined && nowMs - madeAtMs < YOUNG_MS)
    return unknown(`it was made only ${minutes(nowMs - madeAtMs)} ago`);
  return { verdict: 'leftover', why: whyLeft(found) };
};

const whyLeft = ({ objectName, volume, migration }: FoundInPool): string => {
  const name = parseObjectName(objectName);
  const made = name?.made && 'run' in name.made ? name.made : undefined;
  const maker = made ? `run ${made.run} of migration ${made.migrationId}` : 'a create';
  const now = volume ? 'its volume does not refer to it' : 'its volume is deleted';
  return `made by ${maker}; ${now}${migration || !made ? '' : ', the migration is not known'}`;
};
