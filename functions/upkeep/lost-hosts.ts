import { volmoveError } from '../../domain/error.ts';
import { lostForMs } from '../../domain/host/host.ts';
import { isJobEnded, type Job } from '../../domain/job/job.ts';
import { failJob } from '../../domain/job/steps.ts';
import { tellResult } from '../../store/results.ts';
import type { Deps } from '../shared/deps.ts';

/** True when the job's host has been silent for so long that nobody waits for it any more. */
const hostIsLost = async (deps: Deps, hostId: string): Promise<number | undefined> => {
  const host = await deps.store.hosts.get(hostId);
  const silentMs = host ? lostForMs(host, deps.clock.nowMs()) : Number.POSITIVE_INFINITY;
  return silentMs >= deps.settings.hostLostAfterMs ? silentMs : undefined;
};

/**
 * Looks after one job: ended but unheard, its result is told again; its host lost, it fails (removals never: they wait for
 * the host). Returns the job as it stands.
 */
export const lookAfterJob =
  (deps: Deps) =>
  async (hostId: string, jobId: string): Promise<Job | undefined> => {
    const job = await deps.store.jobs.get(hostId, jobId);
    if (!job) return undefined;
    if (isJobEnded(job)) {
      await tellResult(deps)(job);
      return job;
    }
    if (job.kind === 'object.remove') return job;
    const silentMs = await hostIsLost(deps, hostId);
    if (silentMs === undefined) return job;
    const failure = volmoveError('HostLost', {
      hostId,
      forSeconds: Number.isFinite(silentMs) ? Math.round(silentMs / 1000) : 0,
    }).toFailure();
    const failed = (await deps.store.jobs.apply([hostId, jobId], failJob(failure, deps.clock.nowMs()))).value;
    await tellResult(deps)(failed);
    return failed;
  };
