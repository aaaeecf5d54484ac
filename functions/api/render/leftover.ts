import { entryNeedsYou } from '../../../domain/cleanup.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import type { Candidate } from '../cleanup/candidates.ts';
import type { Scanned } from '../cleanup/scan.ts';
import type { Tracked } from '../cleanup/tracked.ts';
import { nextTryAt } from './migration.ts';
import { isoTime } from './time.ts';

/** Leftovers as their administrator sees them: what, where, how large and old, why, and what was tried. */

const madeAt = (atMs: number | null | undefined): string | null =>
  atMs === null || atMs === undefined ? null : isoTime(atMs);

const reasonOf = ({ entry }: Tracked, down: ReadonlySet<string>): string | null => {
  const { hostId } = entry.placement;
  return down.has(hostId) ? `it waits for host ${hostId}, which is down` : (entry.lastFailure?.message ?? null);
};

const renderTracked = (tracked: Tracked, { inPools, down }: Scanned): object => {
  const { entry, owner, why } = tracked;
  const seen = inPools.find(({ object }) => object.objectName === entry.objectName)?.object;
  return {
    object: entry.objectName,
    host: formatPlacement(entry.placement),
    id: entry.objectId,
    state: entryNeedsYou(entry) ? 'needs_you' : 'pending',
    why,
    volume_id: owner.volumeId,
    migration_id: owner.migrationId,
    size_bytes: seen?.sizeBytes ?? null,
    made_at: madeAt(seen?.madeAtMs),
    tries: entry.tries,
    reason: reasonOf(tracked, down),
    next_try_at: nextTryAt(entry),
  };
};

const renderCandidate = ({ object, place, judgement, volumeId, migrationId }: Candidate): object => ({
  object: object.objectName,
  host: formatPlacement(place),
  id: object.objectId,
  state: judgement.verdict,
  why: judgement.why,
  volume_id: volumeId,
  migration_id: migrationId,
  size_bytes: object.sizeBytes,
  made_at: madeAt(object.madeAtMs),
  tries: 0,
  reason: null,
  next_try_at: null,
});

export const renderScan = (scanned: Scanned): object => ({
  leftovers: [
    ...scanned.tracked.map((tracked) => renderTracked(tracked, scanned)),
    ...scanned.candidates.map(renderCandidate),
  ],
  not_asked: scanned.notAsked,
  unfinished: scanned.unfinished.map(({ place, after }) => ({ host: formatPlacement(place), after })),
});
