import { VolmoveError, volmoveError } from '../domain/error.ts';
import { isJobEnded, type Job, resultOf } from '../domain/job/job.ts';
import { ackToken } from '../domain/job/token.ts';
import type { TaskResults } from '../domain/ports.ts';
import type { Store } from './store.ts';

/** The only result that the machine's way depends on; whoever acts on it reads the job. */
const wayOn = (job: Job): { readonly moved?: boolean } => {
  const result = resultOf(job, 'backend.move');
  return result ? { moved: result.moved } : {};
};

/**
 * Tells the state machine how a job ended, with the token that a consistent read finds now. Done by the agent when it has
 * written the result, by dispatch when it finds the job ended, and by the sweeper for whatever was not heard. A rejected
 * token counts as told: nobody waits with it any more. Finalize believes the job item, never this message.
 */
export const tellResult =
  (deps: { readonly store: Pick<Store, 'tokens'>; readonly tasks: TaskResults }) =>
  async (job: Job): Promise<'told' | 'nobody waits'> => {
    if (!isJobEnded(job)) throw volmoveError('Internal', { reason: `job ${job.id} has not ended` });
    const waiting = await deps.store.tokens.get(job.hostId, job.id);
    if (!waiting || waiting.acked) return 'nobody waits';
    if (job.stage.state === 'failed') await deps.tasks.fail(waiting.token, job.stage.failure);
    else await deps.tasks.succeed(waiting.token, { jobId: job.id, hostId: job.hostId, ...wayOn(job) });
    try {
      await deps.store.tokens.apply([job.hostId, job.id], ackToken(waiting.token));
    } catch (error) {
      // tidied away between the read and this: nobody will ask for it again
      if (!(error instanceof VolmoveError && error.code === 'JobNotFound')) throw error;
    }
    return 'told';
  };
