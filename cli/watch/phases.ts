import type { Migration, StoryEntry } from '../api/types.ts';

/** A run's phases as rows, made from the migration's own timeline: what is done, how long it took, what is to come. */

export type PhaseState = 'done' | 'active' | 'pending' | 'failed' | 'skipped' | 'unreached';

export interface PhaseRow {
  readonly name: string;
  readonly state: PhaseState;
  /** How long it took, or has taken so far; null for one that has not begun. */
  readonly tookMs: number | null;
}

const WITHOUT_BYTES = new Set([
  'requested',
  'validating',
  'locking',
  'preparing',
  'finalizing',
  'succeeded',
  'failed',
  'refused',
]);

/** Whether a phase handles the volume's bytes: in any other a count of them says nothing. */
export const hasBytes = (phase: string): boolean => !WITHOUT_BYTES.has(phase);

const COPY_PLAN = ['validating', 'locking', 'preparing', 'copying', 'verifying', 'finalizing'];
/** In the place of the copy's plan once a run has got there: what was read back differed, and is repaired once. */
const REPAIR_PLAN = COPY_PLAN.toSpliced(COPY_PLAN.indexOf('finalizing'), 0, 'repairing', 'reverifying');
const MOVE_PLAN = ['validating', 'locking', 'moving', 'finalizing'];
/** Entries of the timeline that are no phase: the ends, and the time before the first run. */
const NOT_PHASES = new Set(['requested', 'succeeded', 'failed', 'refused']);

interface Visit {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number | null;
}

const visitsOf = (story: readonly StoryEntry[]): Visit[] => {
  const entered = story.filter((entry, index) => entry.to !== story[index - 1]?.to);
  return entered
    .map((entry, index) => ({
      name: entry.to,
      fromMs: Date.parse(entry.at),
      untilMs: entered[index + 1] === undefined ? null : Date.parse(entered[index + 1]?.at ?? ''),
    }))
    .filter((visit) => !NOT_PHASES.has(visit.name));
};

const planFor = (visits: readonly Visit[]): string[] => {
  const visited = (name: string): boolean => visits.some((visit) => visit.name === name);
  const plan = visited('moving') ? MOVE_PLAN : visited('repairing') ? REPAIR_PLAN : COPY_PLAN;
  return [...plan, ...visits.map((visit) => visit.name).filter((name) => !plan.includes(name))];
};

/** A failed run stopped in the last phase before the rollback. */
const brokenPhase = (visits: readonly Visit[], migration: Migration): string | undefined => {
  if (migration.phase !== 'rolling_back' && migration.state !== 'failed') return undefined;
  return visits.filter((visit) => visit.name !== 'rolling_back').at(-1)?.name;
};

/** `nowMs` should be the service's time as well as the caller knows it: it ends the phase that is under way. */
export const phaseRows = (migration: Migration, nowMs: number): PhaseRow[] => {
  if (migration.state === 'refused') return [];
  const visits = visitsOf(migration.story.filter((entry) => entry.run === migration.run));
  const plan = planFor(visits);
  const lastVisited = Math.max(-1, ...visits.map((visit) => plan.indexOf(visit.name)));
  const broken = brokenPhase(visits, migration);
  const isOver = migration.state === 'succeeded' || migration.state === 'failed';
  const unvisited = (index: number): PhaseState => {
    if (broken !== undefined) return index < plan.indexOf(broken) ? 'skipped' : 'unreached';
    return index < lastVisited || isOver ? 'skipped' : 'pending';
  };
  return plan.map((name, index): PhaseRow => {
    const visit = visits.findLast((one) => one.name === name);
    if (visit === undefined) return { name, state: unvisited(index), tookMs: null };
    const tookMs = Math.max(0, (visit.untilMs ?? nowMs) - visit.fromMs);
    if (name === broken) return { name, state: 'failed', tookMs };
    const active = visit.untilMs === null && !isOver;
    return { name, state: active ? 'active' : 'done', tookMs };
  });
};
