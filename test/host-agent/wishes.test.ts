import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { type Job, resultOf } from '../../domain/job/job.ts';
import { naiveDigest } from '../data-path/helpers/naive-digest.ts';
import { deferred, until } from '../data-path/helpers/until.ts';
import { type AgentRig, agentRig, INTERVAL_MS } from './helpers/agent-rig.ts';
import { contentOf, copyScene, pausedCopy, SIZE_BYTES } from './helpers/copy-scene.ts';
import { spoil } from './helpers/spoiled.ts';

const FIRST_PAUSE_MS = 200;
const HOUR_MS = 3_600_000;
const STALL_AFTER_MS = 60_000;
const STOP_GRACE_MS = 15_000;

const activityOf = async (agent: AgentRig, job: Job): Promise<string | undefined> =>
  (await agent.stored(job)).progress?.activity;

const paused = (agent: AgentRig, job: Job): Promise<void> =>
  until('it is paused', async () => (await activityOf(agent, job)) === 'paused');

const resume = async (agent: AgentRig, job: Job): Promise<Job> => agent.wish(job, { paused: false });

const stalledOf = ({ notifier }: AgentRig): number =>
  notifier.events.filter((event) => event.detailType === 'Volume Migration Stalled').length;

/** Reads of the source, or of what is read back, that no signal ends, as those of a disk that is gone do not. */
const deafReads = (agent: AgentRig) => {
  const gate = deferred();
  let hung = false;
  spoil(
    agent,
    'ro',
    (device): BlockDevice => ({
      ...device,
      async read(offset, target, signal) {
        hung = true;
        await gate.promise;
        await device.read(offset, target, signal);
      },
    }),
  );
  return { hung: () => hung, release: () => gate.resolve() };
};

describe('a paused copy', () => {
  it('wakes by the wish alone, with no alarm of its own, and its progress says what it is at', async () => {
    const agent = await agentRig();
    const { running, job, goOn, source, destination } = await pausedCopy(agent);
    const before = await agent.stored(job);

    await goOn();
    await running.done;

    expect(before.progress).toMatchObject({ activity: 'paused', rateBytesPerSecond: 0 });
    const after = await agent.stored(job);
    expect(after.stage.state).toBe('succeeded');
    expect(after.progress?.activity).toBeUndefined();
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('is still paused when its agent died and came back, and goes on when it is let', async () => {
    const agent = await agentRig();
    const { running, stop, job, source, destination } = await pausedCopy(agent);
    stop.abort(new Error('killed'));
    await running.done;

    const again = agent.run(await agent.stored(job));
    await until('the next attempt has reported', async () => (await agent.stored(job)).progress?.attempt === 2);
    await paused(agent, job);
    const untouched = (await contentOf(agent, destination)).every((byte) => byte === 0);
    again.heard(await resume(agent, job));
    await again.done;

    expect(untouched).toBe(true);
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('does not count the pause as time that the other agent was away', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    agent.server.dropConnections();
    await goOn();
    await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
    running.heard(await agent.wish(job, { paused: true }));
    agent.time.wake(FIRST_PAUSE_MS);
    await paused(agent, job);

    agent.clock.advanceMs(HOUR_MS);
    agent.server.dropConnections();
    running.heard(await resume(agent, job));
    await until('it comes back once more', () => agent.time.sleeping(2 * FIRST_PAUSE_MS) === 1);
    agent.time.wake(2 * FIRST_PAUSE_MS);
    await running.done;

    expect((await agent.stored(job)).stage.state).toBe('succeeded');
  });

  it('has no stall, however long it lasts', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);

    agent.clock.advanceMs(24 * HOUR_MS);
    agent.time.wake(INTERVAL_MS);
    await until('it waits again', () => agent.time.sleeping(INTERVAL_MS) === 1);
    const { stalledSinceMs } = await agent.stored(job);
    await goOn();
    await running.done;

    expect(stalledSinceMs).toBeNull();
    expect(stalledOf(agent)).toBe(0);
  });
});

describe('a limit', () => {
  it('that is lifted lets a copy go on at once that would have taken very long', async () => {
    const agent = await agentRig();
    const { job, source, destination } = await copyScene(agent, {
      control: { cancel: false, paused: false, reportNow: 0, bandwidthBytesPerSecond: 1024 },
    });
    const running = agent.run(job);
    await until('it waits for its limit', () => agent.time.sleeping(250) === 1);

    running.heard(await agent.wish(job, { bandwidthBytesPerSecond: null }));
    agent.time.wake(250);
    await running.done;

    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });
});

describe('a read-back', () => {
  const verifying = async (agent: AgentRig) => {
    const { job: copy, source, destination: object } = await copyScene(agent);
    await agent.run(copy).done;
    const input = { object, sizeBytes: SIZE_BYTES, progressIntervalSeconds: null, digest: true };
    const job = await agent.queue({ kind: 'data.verify', input });
    return { job, source };
  };

  it('can be paused, and gives the right digest afterwards', async () => {
    const agent = await agentRig();
    const { job, source } = await verifying(agent);
    const running = agent.run(await agent.wish(job, { paused: true }));
    await paused(agent, job);

    running.heard(await resume(agent, job));
    await running.done;

    const digest = await naiveDigest(await contentOf(agent, source));
    expect(resultOf(await agent.stored(job), 'data.verify')).toMatchObject({ digest });
  });

  it('that hangs is told as a stall', async () => {
    const agent = await agentRig();
    const { job } = await verifying(agent);
    const { hung, release } = deafReads(agent);
    const running = agent.run(job);
    await until('it hangs', hung);
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);

    agent.clock.advanceMs(STALL_AFTER_MS);
    agent.time.wake(INTERVAL_MS);
    await until('it has reported', () => agent.time.sleeping(INTERVAL_MS) === 1);

    const stored = await agent.stored(job);
    release();
    await running.done;
    expect(stored.stalledSinceMs).toBe(agent.clock.nowMs() - STALL_AFTER_MS);
    expect(agent.notifier.events.find((e) => e.detailType.endsWith('Stalled'))?.detail).toMatchObject({
      event_type: 'volume.migrate.stalled',
      phase: 'verifying',
      activity: 'verifying',
      eta_seconds: null,
    });
  });
});

describe('a stall', () => {
  it('is told when it is due, and not only at the next report of a long interval', async () => {
    const agent = await agentRig();
    const scene = await copyScene(agent);
    const input = { ...scene.job.input, progressIntervalSeconds: 86_400 };
    const job = { ...scene.job, id: 'rare', input } as Job;
    await agent.store.jobs.create(job);
    const { hung, release } = deafReads(agent);
    const running = agent.run(job);
    await until('it hangs', hung);
    await until('it waits for a stall', () => agent.time.sleeping(STALL_AFTER_MS) === 1);

    agent.clock.advanceMs(STALL_AFTER_MS);
    agent.time.wake(STALL_AFTER_MS);
    await until('it is told', () => stalledOf(agent) === 1);

    release();
    await running.done;
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
  });

  it('that lasts for too long fails the job with its name, also when its I/O cannot be ended', async () => {
    const agent = await agentRig();
    const { hung, release } = deafReads(agent);
    const { job } = await copyScene(agent);
    const running = agent.run(job);
    let done = false;
    void running.done.then(() => {
      done = true;
    });
    await until('it hangs', hung);
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);

    agent.clock.advanceMs(HOUR_MS);
    agent.time.wake(INTERVAL_MS);
    await until('it is given a grace', () => agent.time.sleeping(STOP_GRACE_MS) === 1);
    agent.time.wake(STOP_GRACE_MS);
    await until('it has failed', async () => (await agent.stored(job)).stage.state === 'failed');

    await until('its end is told', () => agent.tasks.told.length === 1);
    const doneWhileItHangs = done;
    release();
    await running.done;
    expect((await agent.stored(job)).stage).toMatchObject({
      failure: { code: 'Stalled', message: 'Nothing has moved for 3600 s.', remedy: expect.any(String) },
    });
    expect(agent.tasks.told).toMatchObject([{ ok: false, result: { code: 'Stalled' } }]);
    expect(doneWhileItHangs).toBe(false);
  });

  it('that ends before its time is over fails nothing', async () => {
    const agent = await agentRig();
    const { hung, release } = deafReads(agent);
    const { job } = await copyScene(agent);
    const running = agent.run(job);
    await until('it hangs', hung);
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
    agent.clock.advanceMs(HOUR_MS - 2 * INTERVAL_MS);
    agent.time.wake(INTERVAL_MS);
    await until('it waits again', () => agent.time.sleeping(INTERVAL_MS) === 1);

    release();
    await running.done;

    expect((await agent.stored(job)).stage.state).toBe('succeeded');
    expect(stalledOf(agent)).toBe(1);
  });
});
