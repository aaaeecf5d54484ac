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
    volume !== undefined &&
    (volume.status === 'creating' ||
      volume.status === 'managing' ||
      volume.cleanup.some((entry) => entry.state === 'todo'))
  );
};

/** Of a dispatch that woke up after its job was forgotten. The tokens are listed first: a job that is made meanwhile is seen. */
const forgetTokens = async (deps: Deps, hostId: string): Promise<readonly Job[]> => {
  const tokens = await deps.store.tokens.ofHost(hostId);
  const jobs = await deps.store.jobs.ofHost(hostId);
  const known = new Set(jobs.map(({ id }) => id));
  for (const { jobId, token } of tokens)
    if (!known.has(jobId)) await deps.store.tokens.remove([hostId, jobId], (now) => now.token === token);
  return jobs;
};

export const forgetJobs =
  (deps: Deps) =>
  async (hostId: string): Promise<void> => {
    const jobs = await forgetTokens(deps, hostId);
    const before = deps.clock.nowMs() - KEPT_MS;
    const over = (job: Job): boolean =>
      'endedAtMs' in job.stage && job.stage.endedAtMs + keptForRetrySeconds(job) * 1000 < before;
    for (const job of jobs) {
      if (!over(job) || (await isAskedFor(deps, job))) continue;
      await deps.store.tokens.remove([hostId, job.id], () => true);
      await deps.store.jobs.remove([hostId, job.id], isJobEnded);
    }
  };
