import { volmoveError } from '../../domain/error.ts';
import {
  type DataKind,
  type Job,
  type JobTypes,
  migrationJobId,
  type PrepareResult,
  resultOf,
} from '../../domain/job/job.ts';
import type { DataJobs } from '../../domain/job/proof.ts';
import type { Deps } from '../shared/deps.ts';
import type { Claimed } from './claimed.ts';

/** What the agents have done for the claimed run, read from its jobs and from nowhere else. */

export const preparedOf =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migration, volume }: Claimed): Promise<PrepareResult> => {
    const { run, destination } = volume.claim;
    const job = await deps.store.jobs.get(destination.hostId, migrationJobId(migration.id, run, 'destination.prepare'));
    const prepared = resultOf(job, 'destination.prepare');
    if (!prepared) throw volmoveError('NoProof', { reason: 'the destination was not prepared' });
    return prepared;
  };

/** A job is read where the migration says that it is; it says so before the job is there. */
export const dataJob =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migration, volume }: Claimed, kind: DataKind): Promise<Job | undefined> => {
    const ref = migration.jobs.find((job) => job.run === volume.claim.run && job.kind === kind);
    return ref && (await deps.store.jobs.get(ref.hostId, ref.jobId));
  };

export const dataJobsOf =
  (deps: Pick<Deps, 'store'>) =>
  async (claimed: Claimed): Promise<DataJobs> => {
    const find = (kind: DataKind): Promise<Job | undefined> => dataJob(deps)(claimed, kind);
    const [copy, verify, repair, reverify] = await Promise.all([
      find('data.copy'),
      find('data.verify'),
      find('data.repair'),
      find('data.reverify'),
    ]);
    return { copy, verify, repair, reverify };
  };

/** Throws NoProof when the job has not succeeded. */
export const dataResult =
  (deps: Pick<Deps, 'store'>) =>
  async <K extends DataKind>(claimed: Claimed, kind: K): Promise<JobTypes[K]['result']> => {
    const result = resultOf(await dataJob(deps)(claimed, kind), kind);
    if (!result) throw volmoveError('NoProof', { reason: `the job ${kind} has not succeeded` });
    return result;
  };
