import { type CleanupEntry, cleanupDone, cleanupNeedsYou } from '../../../domain/cleanup.ts';
import type { Job } from '../../../domain/job/job.ts';
import { isEnded, type Migration, phaseName } from '../../../domain/migration/migration.ts';
import { bandwidthOf, mayPause } from '../../../domain/migration/wishes.ts';
import { executionName } from '../../../domain/names.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { renderProgress } from './progress.ts';
import { isoTime } from './time.ts';

/** A migration as its administrator sees it: state, story, what is left to clean up. */

const cleanupState = (entries: readonly CleanupEntry[]): string => {
  if (entries.length === 0) return 'none';
  if (cleanupDone(entries)) return 'done';
  return cleanupNeedsYou(entries) ? 'needs_you' : 'todo';
};

const renderCleanup = (entries: readonly CleanupEntry[]): object => ({
  state: cleanupState(entries),
  left: entries
    .filter((entry) => entry.state === 'todo')
    .map((entry) => ({
      object: entry.objectName,
      host: formatPlacement(entry.placement),
      tries: entry.tries,
      reason: entry.lastFailure?.message ?? null,
    })),
});

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

/** The wish; the progress tells when everything has settled. */
const renderPause = (migration: Migration): object | null => {
  const { pause } = migration.wishes;
  return pause && mayPause(migration) ? { by: pause.by, at: isoTime(pause.atMs) } : null;
};

export const renderMigration = (migration: Migration, job: Job | undefined): object => ({
  id: migration.id,
  volume_id: migration.volumeId,
  volume_name: migration.volumeName,
  project_id: migration.projectId,
  state: migration.stage.state,
  phase: phaseName(migration),
  run: migration.run,
  source: formatPlacement(migration.source),
  destination: formatPlacement(migration.destination),
  locked: migration.options.lock,
  verify: migration.options.verify,
  copy_engine: migration.options.copyEngine ?? 'volmove',
  size_bytes: migration.sizeBytes,
  progress: migration.stage.state === 'refused' ? null : renderProgress(migration, job),
  reason: reasonOf(migration),
  requested_by: migration.requestedBy,
  requested_at: isoTime(migration.requestedAtMs),
  ended_at: isEnded(migration) ? isoTime(migration.stage.endedAtMs) : null,
  cancel_wished: migration.wishes.cancel !== null,
  paused: renderPause(migration),
  bandwidth_bytes_per_second: bandwidthOf(migration),
  cleanup: renderCleanup(migration.cleanup),
  verified: verifiedOf(migration),
  digests: digestsOf(migration),
  bytes_read: migration.report?.bytesRead ?? null,
  bytes_written: migration.report?.bytesWritten ?? null,
  story: migration.story.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry })),
  execution: executionName(migration.id, migration.run),
});
