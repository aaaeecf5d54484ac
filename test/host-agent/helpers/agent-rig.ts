import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { volmoveError } from '../../../domain/error.ts';
import type { Job, JobControl, JobSpec } from '../../../domain/job/job.ts';
import { wishJob } from '../../../domain/job/steps.ts';
import type { ObjectRef, Placement } from '../../../domain/placement.ts';
import { createChildren } from '../../../host-agent/children/child.ts';
import { createSharedBucket } from '../../../host-agent/copy/token-bucket.ts';
import { createBufferPool } from '../../../host-agent/device/buffer-pool.ts';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';
import { createBackends } from '../../../host-agent/drivers/registry.ts';
import { createExports } from '../../../host-agent/exports.ts';
import { createHashExports } from '../../../host-agent/hash-exports.ts';
import type { AgentParts } from '../../../host-agent/jobs/context.ts';
import { type RunDeps, type RunningJob, runJob } from '../../../host-agent/jobs/run-job.ts';
import { openCheckpointJournal } from '../../../host-agent/journal/checkpoints.ts';
import { openChildJournal } from '../../../host-agent/journal/children.ts';
import { openGenerationJournal } from '../../../host-agent/journal/generations.ts';
import { openKnownPools } from '../../../host-agent/journal/known-pools.ts';
import { openLeafJournal } from '../../../host-agent/journal/leaves.ts';
import { openObjectJournal } from '../../../host-agent/journal/objects.ts';
import { connectNbd } from '../../../host-agent/nbd/client.ts';
import { createNbdServer } from '../../../host-agent/nbd/server.ts';
import { memoryRecords } from '../../../store/memory-records.ts';
import { createStore } from '../../../store/store.ts';
import { SERVER } from '../../data-path/helpers/nbd-rig.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { fakeClock } from '../../helpers/clock.ts';
import { aJob } from '../../helpers/factories.ts';
import { driverDeps } from './driver-deps.ts';
import { recordedEvents, recordedTasks } from './recorders.ts';

/**
 * The parts of an agent as they are in its daemon (file driver, journals, exports over NBD), over a store in memory. It is
 * source and destination in one. Nobody wakes before the test says so.
 */
export const PLACE: Placement = { hostId: 'host-a', backend: 'files', pool: 'ssd' };
export const INTERVAL_MS = 10_000;

const alarms = () => {
  let sleepers: { ms: number; wake: () => void }[] = [];
  return {
    sleep: (ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const mine = { ms, wake: resolve };
        sleepers.push(mine);
        signal.addEventListener('abort', () => {
          sleepers = sleepers.filter((s) => s !== mine);
          reject(signal.reason);
        });
      }),
    sleeping: (ms: number): number => sleepers.filter((s) => s.ms === ms).length,
    wake(ms: number): void {
      const due = sleepers.filter((s) => s.ms === ms);
      sleepers = sleepers.filter((s) => s.ms !== ms);
      for (const { wake } of due) wake();
    },
  };
};

const partsIn = async (directory: string, { sleep, monotonicMs }: Pick<AgentParts, 'sleep' | 'monotonicMs'>) => {
  const path = join(directory, 'pool');
  await mkdir(path);
  const pools = [{ name: PLACE.pool, path }];
  const backends = createBackends(
    [{ name: PLACE.backend, driver: 'file', pools }],
    driverDeps(await openKnownPools(directory)),
  );
  const generations = await openGenerationJournal(directory);
  const leaves = await openLeafJournal(directory);
  const buffers = createBufferPool(8, CHUNK_BYTES);
  const opened = async (object: ObjectRef, mode: 'ro' | 'rw') =>
    (await backends.get(object).open(object, mode, new AbortController().signal)).device;
  const exports = createExports({
    journal: generations,
    open: (object) => opened(object, 'rw'),
    endExport: (name) => server.endExport(name),
    hashes: createHashExports({
      journal: generations,
      leaves,
      buffers,
      openObject: (object) => opened(object, 'ro'),
    }),
  });
  const server = await createNbdServer({
    host: '127.0.0.1',
    port: 0,
    tls: SERVER,
    resolveExport: (name, peer) => exports.resolve(name, peer),
  });
  onTestFinished(async () => {
    server.dropConnections();
    await exports.close();
    await server.close();
  });
  const childJournal = await openChildJournal(directory);
  const parts: AgentParts = {
    backends,
    exports,
    connect: connectNbd,
    objects: await openObjectJournal(directory),
    checkpoints: await openCheckpointJournal(directory),
    leaves,
    identity: { ...SERVER, address: server.address },
    settings: {
      progressIntervalSeconds: INTERVAL_MS / 1000,
      stallAfterSeconds: 60,
      stallFailAfterSeconds: 3600,
      peerAwaySeconds: 120,
      peerAnswerSeconds: 30,
      bandwidthBytesPerSecond: null,
    },
    children: createChildren({ journal: childJournal, path: process.env.PATH ?? '' }),
    hostBucket: createSharedBucket({ monotonicMs, sleep, rate: () => null }),
    buffers,
    monotonicMs,
    sleep,
    onProblem: () => undefined,
  };
  return { parts, server, generations, childJournal };
};

export type AgentRig = Awaited<ReturnType<typeof agentRig>>;

export const agentRig = async () => {
  const clock = fakeClock();
  const time = alarms();
  const directory = await tempDir();
  const { parts, server, generations, childJournal } = await partsIn(directory, {
    sleep: time.sleep,
    monotonicMs: () => clock.nowMs(),
  });
  const store = createStore(memoryRecords());
  const tasks = recordedTasks();
  const notifier = recordedEvents();
  const problems: string[] = [];
  const onProblem = (what: string): number => problems.push(what);
  const deps: RunDeps = { store, tasks, notifier, clock, parts, incarnation: 'incarnation', onProblem };

  const stored = async (job: Job): Promise<Job> => {
    const found = await store.jobs.get(job.hostId, job.id);
    if (!found) throw new Error(`job ${job.id} is not there`);
    return found;
  };
  return {
    directory,
    store,
    tasks,
    notifier,
    parts,
    server,
    generations,
    childJournal,
    clock,
    time,
    problems,
    stored,
    /** Queues a job of the kind, with a token that waits for it. */
    async queue(spec: JobSpec, change: Partial<Job> = {}): Promise<Job> {
      const job = aJob(change, spec);
      await store.jobs.create(job);
      const token = { hostId: job.hostId, jobId: job.id, token: `token of ${job.kind}` };
      await store.tokens.create({ ...token, enteredAtMs: 0, retryCount: 0, acked: false });
      return job;
    },
    /** Whoever wants a place has one at once; with `onPlace` the test gives it. */
    run(job: Job, stop: AbortSignal = new AbortController().signal, onPlace?: () => void): RunningJob {
      const running: RunningJob = runJob(deps, job, stop, onPlace ?? (() => running.waits && running.goOn()));
      return running;
    },
    async wish(job: Job, wish: Partial<JobControl>): Promise<Job> {
      const cancelled = volmoveError('Cancelled', { by: 'test' }).toFailure();
      return (await store.jobs.apply([job.hostId, job.id], wishJob(wish, cancelled, clock.nowMs()))).value;
    },
  };
};
