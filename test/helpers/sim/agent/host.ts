import { VolmoveError } from '../../../../domain/error.ts';
import { isJobEnded, type Job } from '../../../../domain/job/job.ts';
import type { Deps } from '../../../../functions/shared/deps.ts';
import { DataPathError } from '../../../../host-agent/device/errors.ts';
import { runJob } from '../../../../host-agent/jobs/run-job.ts';
import { runLoop } from '../../../../host-agent/loop.ts';
import type { Thread } from '../turns.ts';
import { type AgentProcess, HEARTBEAT_MS, type HostStorage, type ProcessParts, startProcess } from './process.ts';

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

export interface HostAgentParts extends Omit<ProcessParts, 'onProblem'> {
  readonly jobsOf: (hostId: string) => Job[];
  readonly depsOf: (thread: Thread) => Deps;
  readonly onError: (error: unknown) => void;
}

/** Between two looks without a message. */
const LOOK_MS = 30_000;
const PLACES = { host: 4, backends: {} };
const NEVER = new AbortController().signal;

/** One process with what it has heard. */
interface Life {
  readonly main: Thread;
  readonly opened: Set<{ readonly objectName: string }>;
  process: AgentProcess | undefined;
  /** By job, the wishes that it last read. */
  readonly heard: Map<string, string>;
  /** Ends the wait for the next look; undefined while it is not waiting. */
  lookNow: (() => void) | undefined;
}

const wishesOf = ({ control }: Job): string => JSON.stringify(control);

export const createHostAgent = (hostId: string, storage: HostStorage, all: HostAgentParts): HostAgent => {
  const { turns, actors, world, jobsOf, depsOf, onError } = all;
  const host = world.host(hostId);
  let life: Life | undefined;

  /** What the catalogue and the data path know may happen; anything else is a mistake of ours. */
  const onProblem = (_what: string, error: unknown): void => {
    const known = error instanceof VolmoveError ? error.code !== 'Internal' : error instanceof DataPathError;
    if (!known) onError(error);
  };
  const tellInternal = (jobId: string): void => {
    const stage = jobsOf(hostId).find(({ id }) => id === jobId)?.stage;
    if (stage?.state === 'failed' && stage.failure.code === 'Internal')
      onError(new Error(`${jobId}: ${stage.failure.message}`));
  };

  const run =
    (process: AgentProcess, mine: Life, incarnation: string) => (job: Job, stop: AbortSignal, onPlace: () => void) => {
      const thread = turns.newThread(`agent ${hostId} with ${job.id}`, 'agent', hostId);
      const { store, tasks, notifier, clock } = depsOf(thread);
      const deps = { store, tasks, notifier, clock, parts: process.parts, incarnation, onProblem };
      const started = actors.as({ thread, kind: job.kind }, () =>
        runJob(deps, job, AbortSignal.any([stop, process.lease.signal]), onPlace),
      );
      started.done.then(
        () => tellInternal(job.id),
        () => mine.heard.delete(job.id),
      );
      return started;
    };

  const nextLook = (process: AgentProcess, mine: Life, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        forget();
        mine.lookNow = undefined;
        resolve();
      };
      const forget = process.sleepers.after(LOOK_MS, end);
      mine.lookNow = end;
      signal.addEventListener('abort', end, { once: true });
    });

  const keepWatch = async ({ sleepers, lease }: AgentProcess): Promise<void> => {
    for (;;) {
      await sleepers.sleep(HEARTBEAT_MS / 4, NEVER);
      lease.check();
    }
  };

  const live = async (mine: Life, incarnation: string): Promise<void> => {
    const process = await startProcess(hostId, storage, mine.opened, { ...all, onProblem });
    mine.process = process;
    void keepWatch(process);
    await runLoop(
      {
        async list() {
          const jobs = jobsOf(hostId);
          for (const job of jobs) mine.heard.set(job.id, wishesOf(job));
          await process.parts.leaves.keepOnly(jobs.map(({ id }) => id));
          return jobs;
        },
        run: run(process, mine, incarnation),
        nextLook: (signal) => nextLook(process, mine, signal),
        places: PLACES,
        mayBegin: () => {
          process.lease.check();
          return !process.lease.signal.aborted;
        },
        monotonicMs: process.parts.monotonicMs,
        sleep: process.sleepers.sleep,
        onProblem,
      },
      NEVER,
      NEVER,
    );
  };

  const begin = (): Life => {
    const main = turns.newThread(`agent ${hostId}`, 'agent', hostId);
    const mine: Life = { main, opened: new Set(), process: undefined, heard: new Map(), lookNow: undefined };
    life = mine;
    return mine;
  };
  const liveOn = (mine: Life): void =>
    actors.as({ thread: mine.main, kind: null }, () => {
      live(mine, `${hostId}-${host.incarnation}`).catch(onError);
    });
  liveOn(begin());

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
      void turns.turn(mine.main, 'starts', () => liveOn(mine));
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
