import { volmoveError } from '../../../domain/error.ts';
import { cancelJob } from '../../shared/cancel-job.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Run } from '../handler.ts';

/** StopJobs: whatever the run's jobs still do is in vain; the removal that follows seals the export before it removes. */
export const stopJobs =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<{ stopped: number }> => {
    const migration = await deps.store.migrations.get(migrationId);
    if (!migration) throw volmoveError('MigrationNotFound', { id: migrationId });
    const why = volmoveError('ClaimLost', { reason: 'the run was rolled back' }).toFailure();
    let stopped = 0;
    for (const { hostId, jobId } of migration.jobs.filter((job) => job.run <= run)) {
      if (await cancelJob(deps)(hostId, jobId, why)) stopped++;
    }
    return { stopped };
  };
