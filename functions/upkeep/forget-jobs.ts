import { isJobEnded, type Job, keptForRetrySeconds } from '../../domain/job/job.ts';
import { isClosed } from '../../domain/migration/migration.ts';
import type { Deps } from '../shared/deps.ts';

/**
 * Takes ended jobs off their hosts' lists, which agents read whole at every look. Only jobs that nobody can ask for any more: of
 * a migration that is closed, or of a volume that has no operation under way; and not at once, so that events can be replayed.
 */
const KEPT_MS = 10 * 60_000;

const isAskedFor = async (deps: Deps, job: Job): Promise<boolean> => {
  if (job.migrationId !== null) {
    const migration = await deps.store.migrations.get(job.migrationId);
    return migration !== undefined && !isClosed(migration);
  }
  const volume = await deps.store.volumes.get(job.volumeId);
  return (
    volume !== undefined && (volume.status === 'creating' || volume.cleanup.some((entry) => entry.state === 'todo'))
  );
};

/** Of a dispatch that woke up after its job was forgotten. */
const forgetTokens = async (deps: Deps, hostId: string): Promise<void> => {
  for (const { jobId } of await deps.store.tokens.ofHost(hostId))
    if (!(await deps.store.jobs.get(hostId, jobId))) await deps.store.tokens.remove([hostId, jobId], () => true);
};

export const forgetJobs =
  (deps: Deps) =>
  async (hostId: string): Promise<void> => {
    await forgetTokens(deps, hostId);
    const before = deps.clock.nowMs() - KEPT_MS;
    const over = (job: Job): boolean =>
      'endedAtMs' in job.stage && job.stage.endedAtMs + keptForRetrySeconds(job) * 1000 < before;
    for (const job of await deps.store.jobs.ofHost(hostId)) {
      if (!over(job) || (await isAskedFor(deps, job))) continue;
      await deps.store.tokens.remove([hostId, job.id], () => true);
      await deps.store.jobs.remove([hostId, job.id], isJobEnded);
    }
  };
