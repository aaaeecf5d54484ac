import { volmoveError } from '../../domain/error.ts';
import { isDataKind, isJobEnded, type Job } from '../../domain/job/job.ts';
import { wishJob } from '../../domain/job/steps.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { type CopiedWishes, copiedWishes } from '../../domain/migration/wishes.ts';
import { DEFAULT_PRIORITY } from '../../domain/priority.ts';
import type { Deps } from './deps.ts';

/** True when the job goes by other wishes than the migration's. Only jobs that handle the volume's bytes go by any. */
export const differs = (job: Job, wishes: CopiedWishes): boolean =>
  isDataKind(job.kind) &&
  !isJobEnded(job) &&
  (job.control.paused !== wishes.paused ||
    job.control.bandwidthBytesPerSecond !== wishes.bandwidthBytesPerSecond ||
    (job.control.priority ?? DEFAULT_PRIORITY) !== wishes.priority);

/**
 * Copies the migration's wishes to a job, and gives its agent a hint. Two that wish at once may write the job in the other order
 * than the migration; so each reads the migration again after its write, until both say the same: the last wish stands.
 */
export const carryWishes =
  (deps: Pick<Deps, 'store' | 'queues' | 'clock'>) =>
  async (migrationId: string, hostId: string, jobId: string): Promise<void> => {
    for (;;) {
      const migration: Migration | undefined = await deps.store.migrations.get(migrationId);
      const job = await deps.store.jobs.get(hostId, jobId);
      if (!migration || !job || !differs(job, copiedWishes(migration))) return;
      const unused = volmoveError('Cancelled', { by: 'nobody' }).toFailure();
      const rule = wishJob(copiedWishes(migration), unused, deps.clock.nowMs());
      await deps.store.jobs.apply([hostId, jobId], rule);
      await deps.queues.look(hostId);
    }
  };
