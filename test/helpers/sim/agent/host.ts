import { isJobEnded, type Job } from '../../../../domain/job/job.ts';
import { type HostAgentParts, type Life, liveOn, wishesOf } from './life.ts';
import type { AgentProcess, HostStorage } from './process.ts';

/** An agent on its host: the real loop and the real jobs in a process that may die and be started again. */
export interface HostAgent {
  /** Jobs that it has not heard of, or not in that way, and could look for now. */
  readonly ready: () => Job[];
  readonly look: (job: Job) => void;
  readonly process: () => AgentProcess | undefined;
  /** It has the object open. */
  readonly holds: (objectName: string) => boolean;
  readonly start: () => void;
  /** It may have been frozen until now. */
  readonly wake: () => void;
  readonly timePassed: () => void;
  readonly die: () => void;
}

export const createHostAgent = (hostId: string, storage: HostStorage, all: HostAgentParts): HostAgent => {
  const { turns, actors, world, jobsOf, onError } = all;
  const host = world.host(hostId);
  const live = liveOn(hostId, storage, all);
  let life: Life | undefined;

  const begin = (): Life => {
    const main = turns.newThread(`agent ${hostId}`, 'agent', hostId);
    const mine: Life = { main, opened: new Set(), process: undefined, heard: new Map(), lookNow: undefined };
    life = mine;
    return mine;
  };
  const start = (mine: Life): void =>
    actors.as({ thread: mine.main, kind: null }, () => {
      live(mine, `${hostId}-${host.incarnation}`).catch(onError);
    });
  start(begin());

  return {
    process: () => life?.process,
    holds: (name) => [...(life?.opened ?? [])].some(({ objectName }) => objectName === name),
    ready() {
      if (!host.up || host.paused || !life?.lookNow) return [];
      const { heard } = life;
      return jobsOf(hostId).filter((job) => !isJobEnded(job) && heard.get(job.id) !== wishesOf(job));
    },
    look(job) {
      const mine = life;
      const end = mine?.lookNow;
      if (!mine || !end) return;
      // it looks once, however many messages say so
      mine.lookNow = undefined;
      void turns.turn(mine.main, `looks for ${job.id}`, end);
    },
    start() {
      const mine = begin();
      void turns.turn(mine.main, 'starts', () => start(mine));
    },
    wake() {
      const mine = life;
      if (mine) void turns.turn(mine.main, 'wakes up', () => mine.process?.sleepers.wakeWhoIsDue());
    },
    timePassed() {
      if (!life?.process) return;
      life.process.lease.renewed();
      life.process.sleepers.wakeWhoIsDue();
    },
    die() {
      life?.process?.die();
      life = undefined;
    },
  };
};
