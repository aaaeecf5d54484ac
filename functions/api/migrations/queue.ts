import { type Host, placesOf } from '../../../domain/host/host.ts';
import type { Job } from '../../../domain/job/job.ts';
import { isQueued, type QueuePlace, queueOf } from '../../../domain/job/queue.ts';
import type { Deps } from '../../shared/deps.ts';

/** A job that waits for a place, as it stood when its host's queue was read. */
export interface Queued {
  readonly job: Job;
  readonly queue: QueuePlace;
}

const queuedOn = async (deps: Pick<Deps, 'store'>, host: Host): Promise<Queued[]> => {
  const jobs = await deps.store.jobs.openOfHost(host.id);
  const queues = queueOf(jobs, placesOf(host), host.incarnation);
  return jobs.flatMap((job) => {
    const queue = queues.get(job.id);
    return queue ? [{ job, queue }] : [];
  });
};

/** Those of the jobs that wait, by id. Reads each host's partition once, and only where one of them waits. */
export const findQueued =
  (deps: Pick<Deps, 'store'>) =>
  async (jobs: readonly Job[]): Promise<Map<string, Queued>> => {
    // whatever the host's process is called, who is paused or has ended does not wait
    const asked = jobs.filter((job) => isQueued(job, ''));
    const hostIds = [...new Set(asked.map((job) => job.hostId))];
    const hosts = await deps.store.hosts.getMany(hostIds.map((id) => [id] as [string]));
    const waitedFor = hosts.filter(({ id, incarnation }) =>
      asked.some((job) => job.hostId === id && isQueued(job, incarnation)),
    );
    const queued = await Promise.all(waitedFor.map((host) => queuedOn(deps, host)));
    return new Map(queued.flat().map((one) => [one.job.id, one]));
  };
