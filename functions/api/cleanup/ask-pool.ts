import { volmoveError } from '../../../domain/error.ts';
import { isJobEnded, type Job, resultOf, type ScanResult } from '../../../domain/job/job.ts';
import { wishJob } from '../../../domain/job/steps.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { offerJob } from '../../workflow/dispatch/offer.ts';
import { pollUntil, type Wait } from './wait.ts';

/** One page of a pool, from its host's agent; or why there is none. */
export type Page = { readonly ok: true; readonly page: ScanResult } | { readonly ok: false; readonly reason: string };

type ScanDeps = Pick<Deps, 'store' | 'queues' | 'clock' | 'tasks' | 'newId' | 'sleep'>;

/** Nobody needs the job any more. One that an agent is at ends by the wish, and leaves the list with the others that have ended. */
const takeOff = async (deps: ScanDeps, { hostId, id }: Job): Promise<void> => {
  const { jobs } = deps.store;
  const why = volmoveError('Cancelled', { by: 'the request that wanted it' }).toFailure();
  await jobs.apply([hostId, id], wishJob({ cancel: true }, why, deps.clock.nowMs()));
  await jobs.remove([hostId, id], isJobEnded);
};

export const askPool =
  (deps: Deps) =>
  async (place: Placement, after: string | null, projectId: string, wait: Wait, what?: 'others'): Promise<Page> => {
    const offered = await offerJob(deps)({
      hostId: place.hostId,
      id: `scan.${deps.newId()}`,
      volumeId: '',
      projectId,
      migrationId: null,
      run: 0,
      spec: { kind: 'pool.scan', input: { place, after, ...(what ? { what } : {}) } },
    });
    const ended = await pollUntil(deps, wait, async () => {
      const job = await deps.store.jobs.get(offered.hostId, offered.id);
      return job && isJobEnded(job) ? job : undefined;
    });
    await takeOff(deps, offered);
    const page = resultOf(ended, 'pool.scan');
    if (page) return { ok: true, page };
    return {
      ok: false,
      reason: ended?.stage.state === 'failed' ? ended.stage.failure.message : 'its agent has not answered in time',
    };
  };
