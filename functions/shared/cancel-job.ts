import type { Failure } from '../../domain/error.ts';
import { endsMove, isJobEnded } from '../../domain/job/job.ts';
import { wishJob } from '../../domain/job/steps.ts';
import { tellResult } from '../../store/results.ts';
import type { Deps } from './deps.ts';

/** Wishes that a job stops. One that no agent has taken ends at once, so whoever waits for it is told here. True when it changed something. What ends a move goes on. */
export const cancelJob =
  (deps: Pick<Deps, 'store' | 'tasks' | 'queues' | 'clock'>) =>
  async (hostId: string, jobId: string, why: Failure): Promise<boolean> => {
    const job = await deps.store.jobs.get(hostId, jobId);
    if (!job || isJobEnded(job) || endsMove(job.kind)) return false;
    const { value, wrote } = await deps.store.jobs.apply(
      [hostId, jobId],
      wishJob({ cancel: true }, why, deps.clock.nowMs()),
    );
    if (isJobEnded(value)) await tellResult(deps)(value);
    else if (wrote) await deps.queues.look(hostId);
    return wrote;
  };
