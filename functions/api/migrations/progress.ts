import { volmoveError } from '../../../domain/error.ts';
import { isJobEnded, type Job } from '../../../domain/job/job.ts';
import { wishJob } from '../../../domain/job/steps.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import type { Deps } from '../../shared/deps.ts';
import { findMigration, type Watched, withJob } from './find.ts';

export interface AskProgress {
  readonly migrationId: string;
  /** Has the agent report now instead of showing its last report. */
  readonly fresh: boolean;
  readonly signal: AbortSignal | undefined;
}

/** How long a caller waits for a fresh report, and how often is looked for it, in milliseconds. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

const look = async (deps: Deps, migrationId: string): Promise<Watched> =>
  withJob(deps)(await findMigration(deps)(migrationId));

/** Nobody is at one that was never taken: what is stored of it is all there is. */
const mayReport = (job: Job | undefined): job is Job =>
  job !== undefined && !isJobEnded(job) && job.stage.state !== 'queued';

/** Any report after the wish will do; so will the job's end, which has the last word. */
const hasReported = (before: Job, now: Job | undefined): boolean =>
  !mayReport(now) ||
  now.id !== before.id ||
  now.progress?.atMs !== before.progress?.atMs ||
  now.progress?.n !== before.progress?.n;

const wishReport = async (deps: Deps, job: Job, by: string): Promise<void> => {
  const unused = volmoveError('Cancelled', { by }).toFailure();
  const wish = { reportNow: job.control.reportNow + 1 };
  await deps.store.jobs.apply([job.hostId, job.id], wishJob(wish, unused, deps.clock.nowMs()));
  await deps.queues.look(job.hostId);
};

/** `stale` when a fresh report was asked for and did not come in time: what is shown is the last one. */
export const askProgress =
  (deps: Deps) =>
  async ({ migrationId, fresh, signal }: AskProgress): Promise<Watched & { readonly stale: boolean }> => {
    const before = await look(deps, migrationId);
    const { job } = before;
    if (!fresh || isEnded(before.migration) || !mayReport(job)) return { ...before, stale: false };
    await wishReport(deps, job, 'api');
    const untilMs = deps.clock.nowMs() + WAIT_MS;
    while (deps.clock.nowMs() < untilMs && signal?.aborted !== true) {
      await deps.sleep(LOOK_EVERY_MS, signal);
      const now = await deps.store.jobs.get(job.hostId, job.id);
      if (hasReported(job, now)) return { ...(await look(deps, migrationId)), stale: false };
    }
    return { ...(await look(deps, migrationId)), stale: true };
  };
