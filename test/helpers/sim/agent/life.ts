import { VolmoveError } from '../../../../domain/error.ts';
import { isJobEnded, type Job } from '../../../../domain/job/job.ts';
import type { Deps } from '../../../../functions/shared/deps.ts';
import { DataPathError } from '../../../../host-agent/device/errors.ts';
import { runJob } from '../../../../host-agent/jobs/run-job.ts';
import { createJobList } from '../../../../host-agent/list-jobs.ts';
import { runLoop } from '../../../../host-agent/loop.ts';
import type { Thread } from '../turns.ts';
import { type AgentProcess, HEARTBEAT_MS, type HostStorage, type ProcessParts, startProcess } from './process.ts';

/** One process with what it has heard. */
export interface Life {
  readonly main: Thread;
  readonly opened: Set<{ readonly objectName: string }>;
  process: AgentProcess | undefined;
  /** By job, the wishes that it last read. */
  readonly heard: Map<string, string>;
  /** Ends the wait for the next look; undefined while it is not waiting. */
  lookNow: (() => void) | undefined;
}

export interface HostAgentParts extends Omit<ProcessParts, 'onProblem'> {
  readonly jobsOf: (hostId: string) => Job[];
  readonly depsOf: (thread: Thread) => Deps;
  readonly onError: (error: unknown) => void;
}

/** Between two looks without a message. */
const LOOK_MS = 30_000;
const PLACES = { host: 4, backends: {} };

export const wishesOf = ({ control }: Job): string => JSON.stringify(control);

const nextLook = (process: AgentProcess, mine: Life, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      forget();
      signal.removeEventListener('abort', end);
      mine.lookNow = undefined;
      resolve();
    };
    const forget = process.sleepers.after(LOOK_MS, end);
    mine.lookNow = end;
    signal.addEventListener('abort', end, { once: true });
  });

const keepWatch = async ({ sleepers, lease }: AgentProcess, never: AbortSignal): Promise<void> => {
  for (;;) {
    await sleepers.sleep(HEARTBEAT_MS / 4, never);
    lease.check();
  }
};

/** What the table holds now, in no turn of its own. */
const listsOf = (all: () => readonly Job[]) => ({
  openOfHost: async () => all().filter((job) => !isJobEnded(job)),
  getMany: async (ids: readonly (readonly string[])[]) => all().filter((job) => ids.some(([, id]) => id === job.id)),
});

/** The real loop and the real jobs in one process, until it dies. */
export const liveOn = (hostId: string, storage: HostStorage, all: HostAgentParts) => {
  const { turns, actors, jobsOf, depsOf, onError } = all;

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

  return async (mine: Life, incarnation: string): Promise<void> => {
    const process = await startProcess(hostId, storage, mine.opened, { ...all, onProblem });
    mine.process = process;
    const list = createJobList({ jobs: listsOf(() => jobsOf(hostId)) }, process.parts, hostId);
    // of this process: who listens to it is forgotten with it
    const never = new AbortController().signal;
    void keepWatch(process, never);
    await runLoop(
      {
        async list() {
          for (const job of jobsOf(hostId)) mine.heard.set(job.id, wishesOf(job));
          return list();
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
      never,
      never,
    );
  };
};
