import { volmoveError } from '../../../domain/error.ts';
import { isJobEnded, type Job, type JobSpec } from '../../../domain/job/job.ts';
import { wishJob } from '../../../domain/job/steps.ts';
import type { Deps } from '../../shared/deps.ts';
import { offerJob } from '../../workflow/dispatch/offer.ts';
import { pollUntil, type Wait } from './wait.ts';

/** A question to a host's agent that changes nothing: a job that lives for as long as the request that waits for it. */

export interface Question {
  readonly hostId: string;
  readonly projectId: string;
  readonly spec: JobSpec;
}

/** Nobody needs the job any more. One that an agent is at ends by the wish, and leaves the list with the others that have ended. */
const takeOff = async (deps: Deps, { hostId, id }: Job): Promise<void> => {
  const { jobs } = deps.store;
  const why = volmoveError('Cancelled', { by: 'the request that wanted it' }).toFailure();
  await jobs.apply([hostId, id], wishJob({ cancel: true }, why, deps.clock.nowMs()));
  await jobs.remove([hostId, id], isJobEnded);
};

export const NO_ANSWER = 'its agent has not answered in time';

/** The job as it ended; undefined when its agent has not answered in time. */
export const askAgent =
  (deps: Deps) =>
  async ({ hostId, projectId, spec }: Question, wait: Wait): Promise<Job | undefined> => {
    const id = `${spec.kind}.${deps.newId()}`;
    const offered = await offerJob(deps)({ hostId, id, volumeId: '', projectId, migrationId: null, run: 0, spec });
    const ended = await pollUntil(deps, wait, async () => {
      const job = await deps.store.jobs.get(hostId, id);
      return job && isJobEnded(job) ? job : undefined;
    });
    await takeOff(deps, offered);
    return ended;
  };
