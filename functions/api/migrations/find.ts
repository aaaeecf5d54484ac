import { volmoveError } from '../../../domain/error.ts';
import { isDataKind, type Job } from '../../../domain/job/job.ts';
import type { QueuePlace } from '../../../domain/job/queue.ts';
import type { JobRef, Migration } from '../../../domain/migration/migration.ts';
import type { Retained } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { ID } from '../volumes/visible.ts';
import { findKept } from './kept.ts';
import { findQueued } from './queue.ts';

/** Migrations with the jobs that tell how far they are. */

/** Throws MigrationNotFound. */
export const findMigration =
  (deps: Pick<Deps, 'store'>) =>
  async (id: string): Promise<Migration> => {
    const migration = ID.test(id) ? await deps.store.migrations.get(id) : undefined;
    if (!migration) throw volmoveError('MigrationNotFound', { id });
    return migration;
  };

/** The job that the present run is at, or was at last. */
export const activeRef = ({ jobs, run }: Migration): JobRef | undefined => jobs.filter((ref) => ref.run === run).at(-1);

/** The present run's job that moves or reads the volume's bytes: progress is read from it. */
export const dataRef = ({ jobs, run }: Migration): JobRef | undefined =>
  jobs.filter((ref) => ref.run === run && isDataKind(ref.kind)).at(-1);

export interface Watched {
  readonly migration: Migration;
  /** Undefined before the copy. */
  readonly job: Job | undefined;
  /** Null unless the job waits for a place at its host. */
  readonly queue: QueuePlace | null;
  /** What its volume keeps of it. */
  readonly kept: readonly Retained[];
}

export const withJobs =
  (deps: Pick<Deps, 'store'>) =>
  async (migrations: readonly Migration[]): Promise<Watched[]> => {
    const refs = migrations.map(dataRef).filter((ref) => ref !== undefined);
    const jobs = await deps.store.jobs.getMany(refs.map((ref) => [ref.hostId, ref.jobId] as [string, string]));
    const byId = new Map(jobs.map((job) => [job.id, job]));
    const queued = await findQueued(deps)(jobs);
    const kept = await findKept(deps)(migrations);
    return migrations.map((migration) => {
      const id = dataRef(migration)?.jobId ?? '';
      // both of one look, so that a job that is at work has no place in a queue
      const { job = byId.get(id), queue = null } = queued.get(id) ?? {};
      return { migration, job, queue, kept: kept.get(migration.id) ?? [] };
    });
  };

export const withJob =
  (deps: Pick<Deps, 'store'>) =>
  async (migration: Migration): Promise<Watched> => {
    const ref = dataRef(migration);
    const job = ref && (await deps.store.jobs.get(ref.hostId, ref.jobId));
    const queued = job && (await findQueued(deps)([job])).get(job.id);
    const kept = (await findKept(deps)([migration])).get(migration.id) ?? [];
    return { migration, job: queued?.job ?? job, queue: queued?.queue ?? null, kept };
  };
