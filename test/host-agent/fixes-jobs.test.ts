import { describe, expect, it, vi } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { type Job, type JobSpec, resultOf } from '../../domain/job/job.ts';
import { failJob, type Holder, takeJob } from '../../domain/job/steps.ts';
import { createReporter, type ReporterDeps } from '../../host-agent/jobs/reporter.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore } from '../../store/store.ts';
import { CLIENT } from '../data-path/helpers/nbd-rig.ts';
import { deferred, until } from '../data-path/helpers/until.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aJob } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { agentRig, INTERVAL_MS, PLACE } from './helpers/agent-rig.ts';
import { copyScene, pausedCopy, SIZE_BYTES } from './helpers/copy-scene.ts';
import { recordedEvents } from './helpers/recorders.ts';

const FIRST_PAUSE_MS = 200;
const ID: [string, string] = [aJob().hostId, aJob().id];
const LOST = volmoveError('HostLost', { hostId: 'h', forSeconds: 1 }).toFailure();

const reporterRig = async (change: Partial<ReporterDeps> = {}) => {
  const store = createStore(memoryRecords());
  await store.jobs.create(aJob());
  const taken = await store.jobs.apply(ID, takeJob('incarnation', 0, 0));
  const holder: Holder = { attempt: 1, incarnation: 'incarnation' };
  const notifier = recordedEvents();
  const stall = { monotonicMs: () => 0, stallAfterSeconds: 60, stallFailAfterSeconds: null };
  const deps = { store, notifier, clock: fakeClock(), ...stall, ...change };
  return { store, notifier, reporter: createReporter(deps, taken, () => holder) };
};

const MEASURED = { settledBytes: 10, totalBytes: 100, rateBytesPerSecond: 7 };

describe('a report', () => {
  it('shows no rate when nothing was measured since the last one', async () => {
    const { reporter, store } = await reporterRig();
    reporter.measured(MEASURED);
    const rates: (number | undefined)[] = [];

    for (let i = 0; i < 3; i++) {
      if (i === 2) reporter.measured({ ...MEASURED, settledBytes: 20 });
      await reporter.report();
      rates.push((await store.jobs.get(...ID))?.progress?.rateBytesPerSecond);
    }

    expect(rates).toEqual([7, 0, 7]);
  });

  it('brings the wishes back also when subscribers cannot be told, and says that they cannot', async () => {
    const problems: string[] = [];
    const { reporter } = await reporterRig({
      notifier: { notify: () => Promise.reject(new Error('the bus is away')) },
      onProblem: (what) => problems.push(what),
    });
    reporter.measured(MEASURED);

    const control = await reporter.report();

    expect(control).toEqual(aJob().control);
    expect(problems).toEqual([`notifying of job ${aJob().id}`]);
  });

  it.each([
    ['was taken over', takeJob('newer', 1, 0)],
    ['was failed by somebody else', failJob(LOST, 0)],
  ])('of a job that %s is refused before anything was measured', async (_what, rule) => {
    const { reporter, store } = await reporterRig();
    await store.jobs.apply(ID, rule);

    expect((await refusalOf(reporter.report())).code).toBe('JobSuperseded');
  });
});

describe('the end of a copy', () => {
  it('is told to the state machine before subscribers are, whose absence changes nothing', async () => {
    const agent = await agentRig();
    const { job } = await copyScene(agent);
    const order: string[] = [];
    agent.notifier.notify = async () => {
      order.push(`notify after ${agent.tasks.told.length} told`);
      throw new Error('the bus is away');
    };

    await agent.run(job).done;

    expect((await agent.stored(job)).stage.state).toBe('succeeded');
    expect(agent.tasks.told).toMatchObject([{ ok: true }]);
    expect(order).toEqual(['notify after 1 told']);
    expect(agent.problems).toEqual([`notifying of job ${job.id}`]);
  });

  it('forgets its checkpoint when it failed or was cancelled, and keeps it when it was only stopped', async () => {
    const digest = { format: 'volmove-merkle-1', sizeBytes: SIZE_BYTES, chunks: 0, frontier: [] } as const;
    const left: boolean[] = [];
    for (const how of ['cancelled', 'failed', 'stopped'] as const) {
      const agent = await agentRig();
      const { running, job, stop, goOn } = await pausedCopy(agent);
      await agent.parts.checkpoints.write({ jobId: job.id, writeEpoch: 0, checkpoint: { settledBytes: 0, digest } });

      if (how === 'cancelled') running.heard(await agent.wish(job, { cancel: true }));
      if (how === 'stopped') stop.abort(new Error('the lease is lost'));
      if (how === 'failed') {
        await agent.parts.exports.seal(job.migrationId ?? '', job.run);
        await goOn();
        await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
        agent.time.wake(FIRST_PAUSE_MS);
      }
      await running.done;
      left.push((await agent.parts.checkpoints.read(job.id, 0)) !== undefined);
    }

    expect(left).toEqual([false, false, true]);
  });
});

describe('a copy that comes back under a new attempt', () => {
  it('is not taken for superseded by its own report in between', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
    await agent.wish(job, { paused: false });
    agent.server.dropConnections();
    await goOn();
    await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
    const gate = deferred();
    const apply = agent.store.jobs.apply.bind(agent.store.jobs);
    let raised = false;
    vi.spyOn(agent.store.jobs, 'apply').mockImplementationOnce(async (...args) => {
      const applied = await apply(...args);
      raised = true;
      await gate.promise;
      return applied;
    });

    agent.time.wake(FIRST_PAUSE_MS);
    await until('the attempt is raised, and nobody knows', () => raised);
    agent.time.wake(INTERVAL_MS);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    gate.resolve();
    await running.done;

    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ generation: 2 });
  });

  it('leaves no result when the control plane is away at that moment: it is tried again, and carries on', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    await agent.wish(job, { paused: false });
    agent.server.dropConnections();
    await goOn();
    await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
    vi.spyOn(agent.store.jobs, 'apply').mockRejectedValueOnce(
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    );

    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;

    const left = await agent.stored(job);
    expect(left.stage.state).toBe('running');
    expect(agent.tasks.told).toEqual([]);
    expect(agent.problems).toEqual([`a new attempt of job ${job.id}, which is tried again`]);
    await agent.run(left).done;
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
  });
});

describe('a preparation', () => {
  const spec: JobSpec = {
    kind: 'destination.prepare',
    input: { objectName: 'd', place: PLACE, sizeBytes: SIZE_BYTES, admitFingerprint: CLIENT.fingerprint },
  };

  /** A preparation that is held up in its create. */
  const heldUp = async () => {
    const agent = await agentRig();
    const gate = deferred();
    const driver = agent.parts.backends.get(PLACE);
    const create = driver.create.bind(driver);
    let creating = false;
    vi.spyOn(driver, 'create').mockImplementation(async (request, signal) => {
      const made = await create(request, signal);
      creating = true;
      await gate.promise;
      return made;
    });
    const job = await agent.queue(spec);
    const running = agent.run(job);
    await until('it creates', () => creating);
    return { agent, job, running, gate };
  };
  const recordOf = (agent: Awaited<ReturnType<typeof agentRig>>, job: Job) =>
    agent.generations.get(job.migrationId ?? '', job.run);

  it('that was failed meanwhile learns it with its report, and opens no export', async () => {
    const { agent, job, running, gate } = await heldUp();
    await agent.store.jobs.apply([job.hostId, job.id], failJob(LOST, 0));

    agent.time.wake(INTERVAL_MS);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    gate.resolve();
    await running.done;

    expect(recordOf(agent, job)).toBeUndefined();
  });

  it('never opens an export after the tombstone: a removal that comes meanwhile waits, and seals it', async () => {
    const { agent, job, running, gate } = await heldUp();
    const admit = agent.parts.exports.admit.bind(agent.parts.exports);
    let admitted = false;
    vi.spyOn(agent.parts.exports, 'admit').mockImplementation(async (request) => {
      for (let i = 0; i < 2_000; i++) await new Promise((resolve) => setImmediate(resolve));
      await admit(request);
      admitted = true;
    });
    let admittedBeforeRemoval = false;

    const removing = agent.parts.objects.bury('d', async () => {
      admittedBeforeRemoval = admitted;
      await agent.parts.exports.sealObject('d');
    });
    gate.resolve();
    await Promise.all([removing, running.done]);

    expect(admittedBeforeRemoval).toBe(true);
    expect(recordOf(agent, job)).toMatchObject({ sealed: true });
  });
});
