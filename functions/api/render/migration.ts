import { type CleanupEntry, cleanupState, entryNeedsYou } from '../../../domain/cleanup.ts';
import { isEnded, type Migration, phaseName } from '../../../domain/migration/migration.ts';
import { bandwidthOf, mayPause, priorityOf } from '../../../domain/migration/wishes.ts';
import { executionName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import type { Restored, Retained } from '../../../domain/volume/volume.ts';
import { type Rendered, renderProgress } from './progress.ts';
import { isoTime } from './time.ts';

/** A migration as its administrator sees it: state, story, what is left to clean up. */

/** Null while a try is under way, and before the first. */
export const nextTryAt = (entry: CleanupEntry): string | null =>
  entry.state === 'todo' && entry.failedTries > 0 && entry.tries === entry.failedTries
    ? isoTime(entry.nextTryAtMs)
    : null;

const renderCleanup = (entries: readonly CleanupEntry[]): object => ({
  state: cleanupState(entries),
  left: entries
    .filter((entry) => entry.state === 'todo')
    .map((entry) => ({
      object: entry.objectName,
      host: formatPlacement(entry.placement),
      role: entry.role,
      tries: entry.tries,
      reason: entry.lastFailure?.message ?? null,
      next_try_at: nextTryAt(entry),
      needs_you: entryNeedsYou(entry),
    })),
});

/** Where the volume is safe, or lives from now on; null while that is not decided. */
const volumeAt = (migration: Migration, restored: Restored | undefined): string | null => {
  if (!isEnded(migration)) return null;
  const moved = migration.stage.state === 'succeeded' && !restored;
  return formatPlacement(moved ? migration.destination : migration.source);
};

/** The volume's word is there first; the migration's stays when the volume has nothing to tell any more. */
const restoredOf = ({ restored }: Migration, kept: readonly Retained[]): Restored | undefined =>
  restored ?? kept.find((one) => one.restored)?.restored;

const restoredAt = (restored: Restored | undefined): string | null => (restored ? isoTime(restored.atMs) : null);

const renderKept = (kept: readonly Retained[]): object[] =>
  kept
    .filter((one) => !one.restored)
    .map(({ kind, object, expiresAtMs }) => ({
      role: kind,
      object: object.objectName,
      host: formatPlacement(object),
      until: isoTime(expiresAtMs),
    }));

const reasonOf = ({ stage }: Migration): object | null =>
  stage.state === 'failed' || stage.state === 'refused' ? stage.reason : null;

const digestsOf = ({ report }: Migration): object | null =>
  report && report.sourceDigest !== null
    ? { source: report.sourceDigest, destination: report.destinationDigest }
    : null;

/** How the proof was made; null while there is none. */
const verifiedOf = ({ report, options }: Migration): 'direct' | 'cached' | 'none' | null => {
  if (options.verify === 'none') return 'none';
  return report?.readback ?? null;
};

/** Null for one that was refused: it never began. */
const executionOf = ({ id, run, stage }: Migration): string | null =>
  stage.state === 'refused' ? null : executionName(id, run);

/** The wish; the progress tells when everything has settled. */
const renderPause = (migration: Migration): object | null => {
  const { pause } = migration.wishes;
  return pause && mayPause(migration) ? { by: pause.by, at: isoTime(pause.atMs) } : null;
};

/** A migration, and what its volume keeps of it. */
export type RenderedMigration = Rendered & { readonly kept: readonly Retained[] };

export const renderMigration = ({ migration, kept, ...watched }: RenderedMigration): object => ({
  id: migration.id,
  volume_id: migration.volumeId,
  volume_name: migration.volumeName,
  project_id: migration.projectId,
  state: migration.stage.state,
  phase: phaseName(migration),
  run: migration.run,
  source: formatPlacement(migration.source),
  destination: formatPlacement(migration.destination),
  volume_at: volumeAt(migration, restoredOf(migration, kept)),
  locked: migration.options.lock,
  verify: migration.options.verify,
  copy_engine: migration.options.copyEngine ?? 'volmove',
  destination_retention_seconds: migration.options.destinationRetentionSeconds ?? 0,
  size_bytes: migration.sizeBytes,
  progress: migration.stage.state === 'refused' ? null : renderProgress({ migration, ...watched }),
  reason: reasonOf(migration),
  requested_by: migration.requestedBy,
  requested_at: isoTime(migration.requestedAtMs),
  ended_at: isEnded(migration) ? isoTime(migration.stage.endedAtMs) : null,
  cancel_wished: migration.wishes.cancel !== null,
  paused: renderPause(migration),
  bandwidth_bytes_per_second: bandwidthOf(migration),
  priority: priorityOf(migration),
  cleanup: renderCleanup(migration.cleanup),
  wipe: migration.options.wipe ?? false,
  kept: renderKept(kept),
  restored_at: restoredAt(restoredOf(migration, kept)),
  verified: verifiedOf(migration),
  digests: digestsOf(migration),
  bytes_read: migration.report?.bytesRead ?? null,
  bytes_written: migration.report?.bytesWritten ?? null,
  story: migration.story.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry })),
  execution: executionOf(migration),
});
