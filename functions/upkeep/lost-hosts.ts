import { volmoveError } from '../../domain/error.ts';
import { type Host, lostAfterMs, lostForMs } from '../../domain/host/host.ts';
import { heardForMs } from '../../domain/host/watch.ts';
import { isJobEnded, type Job, waitsForHost } from '../../domain/job/job.ts';
import { failJob } from '../../domain/job/steps.ts';
import { tellResult } from '../../store/results.ts';
import type { Deps } from '../shared/deps.ts';

/** As far as it could have been heard: a control plane that was away itself has missed the heartbeats of all hosts. */
const silentForMs = async (deps: Deps, host: Host): Promise<number> => {
  const nowMs = deps.clock.nowMs();
  const { hostLostAfterMs } = deps.settings;
  const silentMs = lostForMs(host, nowMs);
  if (silentMs < hostLostAfterMs) return silentMs;
  const watch = await deps.store.watch.get();
  return watch ? Math.min(silentMs, heardForMs(hostLostAfterMs, nowMs)(watch)) : silentMs;
};

/** The first of the hosts that has been silent for so long that nobody waits for it any more. */
const firstLost = async (
  deps: Deps,
  hostIds: readonly string[],
): Promise<{ hostId: string; forSeconds: number } | undefined> => {
  const { hostLostAfterMs } = deps.settings;
  for (const hostId of hostIds) {
    const host = await deps.store.hosts.get(hostId);
    const limitMs = host ? lostAfterMs(host, hostLostAfterMs) : hostLostAfterMs;
    const silentMs = host ? await silentForMs(deps, host) : limitMs;
    if (silentMs >= limitMs) return { hostId, forSeconds: Math.round(silentMs / 1000) };
  }
  return undefined;
};

/**
 * Looks after one job: ended but unheard, its result is told again; its host lost, it fails (removals never: they wait for
 * the host, as does what a backend has to bring to its end). `needs`: every host that the job cannot do without. Returns the job as it stands.
 */
export const lookAfterJob =
  (deps: Deps) =>
  async (hostId: string, jobId: string, needs: readonly string[] = [hostId]): Promise<Job | undefined> => {
    const job = await deps.store.jobs.get(hostId, jobId);
    if (!job) return undefined;
    if (isJobEnded(job)) {
      await tellResult(deps)(job);
      return job;
    }
    if (waitsForHost(job.kind)) return job;
    const lost = await firstLost(deps, needs);
    if (!lost) return job;
    const failure = volmoveError('HostLost', lost).toFailure();
    const failed = (await deps.store.jobs.apply([hostId, jobId], failJob(failure, deps.clock.nowMs()))).value;
    await tellResult(deps)(failed);
    return failed;
  };
