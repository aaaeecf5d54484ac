import { isJobEnded, type Job, keptForRetrySeconds } from '../domain/job/job.ts';
import type { Store } from '../store/store.ts';
import type { AgentParts } from './jobs/context.ts';

/**
 * This host's jobs that have not ended. What is kept for a job goes when nobody can ask for it any more: hashes when it has left the
 * list, as a repair reads those of a job that has ended; a checkpoint when neither the job nor a retry can go on from it.
 */

interface Stored {
  readonly jobs: Pick<Store['jobs'], 'openOfHost' | 'getMany'>;
}
type Parts = Pick<AgentParts, 'leaves' | 'checkpoints' | 'monotonicMs'>;

/** What is kept of jobs that have ended is asked for again after this long: they stay on the list for minutes at the least. */
const JUDGED_AGAIN_MS = 60_000;

/** Also of a copy that others have ended while this agent was not there. */
const needsCheckpoint = (job: Job): boolean => !isJobEnded(job) || keptForRetrySeconds(job) > 0;

const idsOf = (jobs: readonly Job[]): string[] => jobs.map(({ id }) => id);

export const createJobList = (
  { jobs: stored }: Stored,
  { leaves, checkpoints, monotonicMs }: Parts,
  hostId: string,
): (() => Promise<Job[]>) => {
  /** Of jobs that have ended, as they were judged last. */
  let kept: readonly Job[] = [];
  let judgedAtMs = Number.NEGATIVE_INFINITY;

  const tidy = async (open: readonly Job[]): Promise<void> => {
    if (monotonicMs() - judgedAtMs >= JUDGED_AGAIN_MS) {
      kept = [];
      judgedAtMs = monotonicMs();
    }
    const known = new Set(idsOf([...open, ...kept]));
    const files = new Set([...(await leaves.jobIds()), ...(await checkpoints.jobIds())]);
    const unknown = [...files].filter((id) => !known.has(id));
    kept = [...kept, ...(await stored.getMany(unknown.map((id): [string, string] => [hostId, id])))];
    await leaves.keepOnly(idsOf([...open, ...kept]));
    await checkpoints.keepOnly(idsOf([...open, ...kept].filter(needsCheckpoint)));
    kept = kept.filter(({ id }) => files.has(id));
  };

  return async () => {
    const open = await stored.openOfHost(hostId);
    await tidy(open);
    return open;
  };
};
