import type { Migration } from '../api/types.ts';

/** How long a migration took: its last run, counted from when that was asked for. What lay before a retry is not part of it. */

/** A wish that came before the run's first step is told as `requested` too, but leads from there. */
const begunMs = ({ story, requested_at: asked }: Migration): number =>
  Date.parse(story.findLast(({ from, to }) => to === 'requested' && from !== 'requested')?.at ?? asked);

/** `nowMs` ends one that is under way. */
export const lastedMs = (migration: Migration, nowMs: number): number =>
  (migration.ended_at === null ? nowMs : Date.parse(migration.ended_at)) - begunMs(migration);

/** Null while it is under way. */
export const tookMs = (migration: Migration): number | null =>
  migration.ended_at === null ? null : lastedMs(migration, Date.parse(migration.ended_at));
