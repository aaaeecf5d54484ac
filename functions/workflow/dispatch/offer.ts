import { volmoveError } from '../../../domain/error.ts';
import { isJobEnded, type Job, type Waiting } from '../../../domain/job/job.ts';
import { type NewJob, newJob } from '../../../domain/job/steps.ts';
import { offerToken } from '../../../domain/job/token.ts';
import { copiedWishes } from '../../../domain/migration/wishes.ts';
import { tellResult } from '../../../store/results.ts';
import { cancelJob } from '../../shared/cancel-job.ts';
import { carryWishes, differs } from '../../shared/carry-wishes.ts';
import type { Deps } from '../../shared/deps.ts';

/** A wish that came between the step's read and the job: it found no job to tell, so it is carried to it here. */
export const honourWishes =
  (deps: Deps) =>
  async (migrationId: string, job: Job): Promise<void> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) return;
    const { cancel } = migration.wishes;
    if (cancel) await cancelJob(deps)(job.hostId, job.id, volmoveError('Cancelled', { by: cancel.by }).toFailure());
    else if (differs(job, copiedWishes(migration))) await carryWishes(deps)(migrationId, job.hostId, job.id);
  };

/**
 * Puts a job on its host's list, once, with the token that waits for it. Where the job is there already: the token (only over
 * an older one), then a look at the job; if it has ended meanwhile, or long ago, this answers at once. So an answer is never
 * lost between the two items.
 */
export const offerJob =
  (deps: Deps) =>
  async (asked: Omit<NewJob, 'nowMs' | 'waiting'>, waiting?: Waiting): Promise<Job> => {
    const job = { ...asked, ...(waiting ? { waiting } : {}) };
    const { value: stored, wrote } = await deps.store.jobs.create(newJob({ ...job, nowMs: deps.clock.nowMs() }));
    if (wrote) {
      await deps.queues.look(job.hostId);
      return stored;
    }
    if (!waiting) return stored;
    const token = { hostId: job.hostId, jobId: job.id, acked: false, ...waiting };
    const offered = await deps.store.tokens.create(token);
    if (!offered.wrote) await deps.store.tokens.apply([job.hostId, job.id], offerToken(token));
    const now = (await deps.store.jobs.get(job.hostId, job.id)) ?? stored;
    if (isJobEnded(now)) await tellResult(deps)(now);
    else await deps.queues.look(job.hostId);
    return now;
  };
