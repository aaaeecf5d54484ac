import { volmoveError } from '../../../domain/error.ts';
import { wishJob } from '../../../domain/job/steps.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Run } from '../handler.ts';

/** StopJobs: whatever the run's jobs still do is in vain; the removal that follows seals the export before it removes. */
export const stopJobs =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<{ stopped: number }> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    const cancelled = volmoveError('ClaimLost', { reason: 'the run was rolled back' }).toFailure();
    const refs = migration.jobs.filter((job) => job.run <= run);
    let stopped = 0;
    for (const { hostId, jobId } of refs) {
      if (!(await deps.store.jobs.get(hostId, jobId))) continue;
      const { wrote } = await deps.store.jobs.apply(
        [hostId, jobId],
        wishJob({ cancel: true }, cancelled, deps.clock.nowMs()),
      );
      if (wrote) {
        stopped++;
        await deps.queues.look(hostId);
      }
    }
    return { stopped };
  };
