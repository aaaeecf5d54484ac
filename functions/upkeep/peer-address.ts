import { volmoveError } from '../../domain/error.ts';
import type { Job } from '../../domain/job/job.ts';
import { wishJob } from '../../domain/job/steps.ts';
import type { Deps } from '../shared/deps.ts';

/**
 * Tells a job that writes to another agent where that one listens now: one that came back without its old port has registered
 * with another. The writer reads nothing but its own host's items, so it hears of it by its job. With another certificate the
 * agent has lost its data directory, and the export with it: then there is nothing to tell.
 */
export const tellPeerAddress =
  (deps: Pick<Deps, 'store' | 'queues' | 'clock'>) =>
  async (job: Job, peerHostId: string): Promise<void> => {
    if (job.kind !== 'data.copy' && job.kind !== 'data.repair') return;
    const { peer } = job.input;
    const host = await deps.store.hosts.get(peerHostId);
    if (host?.fingerprint !== peer.fingerprint || host.address === (job.control.peerAddress ?? peer.address)) return;
    const unused = volmoveError('Cancelled', { by: 'nobody' }).toFailure();
    const rule = wishJob({ peerAddress: host.address }, unused, deps.clock.nowMs());
    const { wrote } = await deps.store.jobs.apply([job.hostId, job.id], rule);
    if (wrote) await deps.queues.look(job.hostId);
  };
