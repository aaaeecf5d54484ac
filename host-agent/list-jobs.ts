import { isJobEnded, type Job, keptForRetrySeconds } from '../domain/job/job.ts';
import type { Store } from '../store/store.ts';
import type { AgentParts } from './jobs/context.ts';

/** Also of a copy that others have ended while this agent was not there. */
const needsCheckpoint = (job: Job): boolean => !isJobEnded(job) || keptForRetrySeconds(job) > 0;

/**
 * This host's jobs. What is kept for a job goes when nobody can ask for it any more: hashes when it has left the list, as a
 * repair reads those of a job that has ended; a checkpoint when neither the job nor a retry can go on from it.
 */
export const listJobs = async (
  { jobs: stored }: { readonly jobs: Pick<Store['jobs'], 'ofHost'> },
  { leaves, checkpoints }: Pick<AgentParts, 'leaves' | 'checkpoints'>,
  hostId: string,
): Promise<Job[]> => {
  const jobs = await stored.ofHost(hostId);
  await leaves.keepOnly(jobs.map(({ id }) => id));
  await checkpoints.keepOnly(jobs.filter(needsCheckpoint).map(({ id }) => id));
  return jobs;
};
