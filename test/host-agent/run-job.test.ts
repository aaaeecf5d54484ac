import { describe, expect, it, vi } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Job, JobSpec } from '../../domain/job/job.ts';
import { failJob, takeJob } from '../../domain/job/steps.ts';
import { LeaseLapsed } from '../../host-agent/lease.ts';
import { until } from '../data-path/helpers/until.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { agentRig, INTERVAL_MS, PLACE } from './helpers/agent-rig.ts';
import { contentOf, objectNamed, pausedCopy } from './helpers/copy-scene.ts';

const CREATE: JobSpec = { kind: 'volume.create', input: { objectName: 'new', place: PLACE, sizeBytes: 4096 } };
const NEW = { pool: PLACE.pool, objectName: 'new' };
const NEVER = new AbortController().signal;

const failureOf = (job: Job): string | undefined => (job.stage.state === 'failed' ? job.stage.failure.code : undefined);

describe('an attempt that ends', () => {
  it('with success writes the result to the job, then tells it with the token that waits', async () => {
    const agent = await agentRig();
    const job = await agent.queue(CREATE);

    await agent.run(job).done;

    const stored = await agent.stored(job);
    expect(stored).toMatchObject({
      attempt: 1,
      stage: { state: 'succeeded', result: { object: { objectName: 'new' } } },
    });
    expect(agent.tasks.told).toEqual([
      { token: 'token of volume.create', ok: true, result: { jobId: job.id, hostId: job.hostId } },
    ]);
    expect(await agent.store.tokens.get(job.hostId, job.id)).toMatchObject({ acked: true });
  });

  it('with a failure writes it in the words of the catalogue, with what to do, and tells it', async () => {
    const agent = await agentRig();
    await agent.parts.objects.bury('new', async () => false);
    const job = await agent.queue(CREATE);

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))).toBe('ObjectTombstoned');
    expect(agent.tasks.told).toMatchObject([
      { ok: false, result: { code: 'ObjectTombstoned', remedy: expect.any(String) } },
    ]);
    expect(await agent.parts.backends.get(PLACE).find(NEW, NEVER)).toBeUndefined();
  });

  it('with nobody waiting is written all the same', async () => {
    const agent = await agentRig();
    const job = await agent.queue(CREATE);
    await agent.store.tokens.remove([job.hostId, job.id], () => true);

    await agent.run(job).done;

    expect((await agent.stored(job)).stage.state).toBe('succeeded');
    expect(agent.tasks.told).toEqual([]);
  });

  it('goes on from where an older incarnation left the job, as a higher attempt', async () => {
    const agent = await agentRig();
    const left = { state: 'running', incarnation: 'dead', sinceMs: 0 } as const;
    const job = await agent.queue(CREATE, { attempt: 6, stage: left });

    await agent.run(job).done;

    expect(await agent.stored(job)).toMatchObject({ attempt: 7, stage: { state: 'succeeded' } });
  });
});

describe('a cancel', () => {
  it('before the job is taken ends it without the agent: the agent takes it no more', async () => {
    const agent = await agentRig();
    const job = await agent.queue(CREATE);
    const ended = await agent.wish(job, { cancel: true });

    const error = await refusalOf(agent.run(job).done);

    expect(error.code).toBe('JobSuperseded');
    expect(await agent.stored(job)).toEqual(ended);
    expect(agent.tasks.told).toEqual([]);
  });

  it('that is found when the job is taken ends it before it has done anything', async () => {
    const agent = await agentRig();
    const left = { state: 'running', incarnation: 'dead', sinceMs: 0 } as const;
    const job = await agent.queue(CREATE, { attempt: 1, stage: left });
    await agent.wish(job, { cancel: true });

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))).toBe('Cancelled');
    expect(await agent.parts.backends.get(PLACE).find(NEW, NEVER)).toBeUndefined();
    expect(agent.tasks.told).toMatchObject([{ ok: false, result: { code: 'Cancelled' } }]);
  });

  it('after it was taken stops the copy when the loop reads it', async () => {
    const agent = await agentRig();
    const { running, job, destination } = await pausedCopy(agent);

    running.heard(await agent.wish(job, { cancel: true }));
    await running.done;

    expect(failureOf(await agent.stored(job))).toBe('Cancelled');
    expect((await contentOf(agent, destination)).every((byte) => byte === 0)).toBe(true);
  });

  it('after it was taken stops the copy with the next report, too', async () => {
    const agent = await agentRig();
    const { running, job } = await pausedCopy(agent);
    await agent.wish(job, { cancel: true });

    agent.time.wake(INTERVAL_MS);
    await running.done;

    expect(failureOf(await agent.stored(job))).toBe('Cancelled');
  });
});

describe('an attempt that is stopped from outside', () => {
  it('leaves the job as it stands also when something of it still names a lease that lapsed before it began', async () => {
    const agent = await agentRig();
    const job = await agent.queue(CREATE);
    const driver = agent.parts.backends.get(PLACE);
    vi.spyOn(driver, 'create').mockRejectedValueOnce(new LeaseLapsed('no heartbeat was answered for 4500 ms'));

    await agent.run(job).done;

    expect((await agent.stored(job)).stage.state).toBe('running');
    expect(agent.tasks.told).toEqual([]);
  });

  it('by a lost lease writes nothing and tells nothing: the job stays for whoever takes it next', async () => {
    const agent = await agentRig();
    const { running, stop, job } = await pausedCopy(agent);
    const before = await agent.stored(job);

    stop.abort(new Error('no heartbeat was answered'));
    await running.done;

    expect(await agent.stored(job)).toEqual(before);
    expect(agent.tasks.told).toEqual([]);
  });

  it('by a lease that was lost before takes no job at all', async () => {
    const agent = await agentRig();
    const job = await agent.queue(CREATE);

    await agent.run(job, AbortSignal.abort(new Error('no heartbeat was answered'))).done;

    expect(await agent.stored(job)).toEqual(job);
  });

  it('by a newer attempt, which it learns with its report, writes nothing', async () => {
    const agent = await agentRig();
    const { running, job } = await pausedCopy(agent);
    const newer = await agent.store.jobs.apply([job.hostId, job.id], takeJob('newer', 1, 0));

    agent.time.wake(INTERVAL_MS);
    await running.done;

    expect(await agent.stored(job)).toEqual(newer.value);
    expect(agent.tasks.told).toEqual([]);
  });

  it('by a newer attempt that it learns of only at its end, writes nothing either', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    const newer = await agent.store.jobs.apply([job.hostId, job.id], takeJob('newer', 1, 0));

    await goOn();
    await running.done;

    const control = { ...newer.value.control, paused: false };
    expect(await agent.stored(job)).toEqual({ ...newer.value, control });
    expect(agent.tasks.told).toEqual([]);
  });

  it('by the sweeper, which has failed its job, leaves that failure as it is', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    const lost = volmoveError('HostLost', { hostId: job.hostId, forSeconds: 60 }).toFailure();
    await agent.store.jobs.apply([job.hostId, job.id], failJob(lost, 0));

    await goOn();
    await running.done;

    expect(failureOf(await agent.stored(job))).toBe('HostLost');
  });
});

describe('reports of an attempt', () => {
  it('are made at the interval, and at once when somebody asks for one', async () => {
    const agent = await agentRig();
    const { running, job, stop } = await pausedCopy(agent);
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
    const before = (await agent.stored(job)).recent.length;
    agent.time.wake(INTERVAL_MS);
    await until('it has reported', async () => (await agent.stored(job)).recent.length === before + 1);
    await until('it waits again', () => agent.time.sleeping(INTERVAL_MS) === 1);

    running.heard(await agent.wish(job, { reportNow: 1 }));

    await until('it has reported again', async () => (await agent.stored(job)).recent.length === before + 2);
    stop.abort(new Error('over'));
    await running.done;
  });

  it('use the interval of the migration when it has one', async () => {
    const agent = await agentRig();
    const { job } = await pausedCopy(agent);
    const own = { ...job, id: 'own', input: { ...job.input, progressIntervalSeconds: 3 } } as Job;
    await agent.store.jobs.create(own);

    const stop = new AbortController();
    const running = agent.run(own, stop.signal);

    await until('it sleeps for its own interval', () => agent.time.sleeping(3_000) === 1);
    stop.abort(new Error('over'));
    await running.done;
  });

  it('that cannot be sent are no reason to stop', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    const away = vi.spyOn(agent.store.jobs, 'apply').mockRejectedValue(new Error('the store is away'));
    agent.time.wake(INTERVAL_MS);
    await until('the problem was told', () => agent.problems.length > 0);
    away.mockRestore();

    await goOn();
    await running.done;

    expect(agent.problems).toEqual([`report of job ${job.id}`]);
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
  });
});

describe('a copy that is paused', () => {
  it('goes on when the wish changes, and ends with everything copied', async () => {
    const agent = await agentRig();
    const { running, job, goOn, source, destination } = await pausedCopy(agent);
    agent.time.wake(INTERVAL_MS);
    await until('it is still paused', () => agent.time.sleeping(INTERVAL_MS) === 1);

    await goOn();
    await running.done;

    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
    expect(await agent.stored(job)).toMatchObject({
      stage: { state: 'succeeded' },
      progress: { doneBytes: source.sizeBytes },
    });
  });
});

describe('what is left in the pool', () => {
  it('of a create that is repeated is one object', async () => {
    const agent = await agentRig();
    const before = await objectNamed(agent, 'new');
    const job = await agent.queue({ ...CREATE, input: { ...CREATE.input, sizeBytes: before.sizeBytes } } as JobSpec);

    await agent.run(job).done;

    expect((await agent.stored(job)).stage).toMatchObject({ result: { object: { objectId: before.objectId } } });
  });
});
