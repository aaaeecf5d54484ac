import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import { createControlBox } from '../../host-agent/jobs/control-box.ts';
import { createPlace } from '../../host-agent/jobs/place.ts';
import { until } from '../data-path/helpers/until.ts';
import { aJob } from '../helpers/factories.ts';
import { type AgentRig, agentRig, INTERVAL_MS } from './helpers/agent-rig.ts';
import { contentOf, copyScene } from './helpers/copy-scene.ts';

/** What a job does between the end of its pause and the place that it is given again. */

const HOUR_MS = 3_600_000;

const activityBecomes = (agent: AgentRig, job: Job, activity: string | undefined): Promise<void> =>
  until(`it is ${activity}`, async () => (await agent.stored(job)).progress?.activity === activity);

/** A copy that was paused before its first byte and is let go on; its place is the test's to give. */
const waitingCopy = async () => {
  const agent = await agentRig();
  const scene = await copyScene(agent);
  const job = await agent.wish(scene.job, { paused: true });
  const asked: boolean[] = [];
  const stop = new AbortController();
  const running = agent.run(job, stop.signal, () => asked.push(running.waits));
  await activityBecomes(agent, job, 'paused');
  running.heard(await agent.wish(job, { paused: false }));
  return { agent, ...scene, job, running, stop, asked };
};

describe('a copy whose pause is over', () => {
  it('asks for a place, says that it is queued, and moves nothing', async () => {
    const { agent, running, job, asked, stop, destination } = await waitingCopy();

    await activityBecomes(agent, job, 'queued');

    expect(asked).toEqual([true]);
    expect([running.rests, running.waits]).toEqual([true, true]);
    expect((await agent.stored(job)).progress).toMatchObject({ doneBytes: 0, rateBytesPerSecond: 0 });
    expect((await contentOf(agent, destination)).every((byte) => byte === 0)).toBe(true);
    stop.abort();
    await running.done;
  });

  it('goes on when it is given one, and ends with everything copied', async () => {
    const { agent, running, job, source, destination } = await waitingCopy();
    await activityBecomes(agent, job, 'queued');

    running.goOn();
    await running.done;

    expect([running.rests, running.waits]).toEqual([false, false]);
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('has no stall, however long it waits', async () => {
    const { agent, running, job } = await waitingCopy();
    await activityBecomes(agent, job, 'queued');
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);

    agent.clock.advanceMs(24 * HOUR_MS);
    agent.time.wake(INTERVAL_MS);
    await until('it waits again', () => agent.time.sleeping(INTERVAL_MS) === 1);
    const { stalledSinceMs } = await agent.stored(job);
    running.goOn();
    await running.done;

    expect(stalledSinceMs).toBeNull();
    expect(agent.notifier.events.filter(({ detailType }) => detailType === 'Volume Migration Stalled')).toEqual([]);
    expect((await agent.stored(job)).stage.state).toBe('succeeded');
  });

  it('can be paused again while it waits, and cancelled', async () => {
    const { agent, running, job } = await waitingCopy();
    await activityBecomes(agent, job, 'queued');

    running.heard(await agent.wish(job, { paused: true }));
    await activityBecomes(agent, job, 'paused');
    const waits = running.waits;
    running.goOn();
    const rests = running.rests;
    running.heard(await agent.wish(job, { paused: false }));
    running.heard(await agent.wish(job, { cancel: true }));
    await running.done;

    expect([waits, rests]).toEqual([false, true]);
    expect((await agent.stored(job)).stage).toMatchObject({ state: 'failed', failure: { code: 'Cancelled' } });
  });
});

describe('a place', () => {
  const { control } = aJob();

  it('is given up by a pause, and what is shown is one thing: held or not', () => {
    const shown = createControlBox(control);
    const place = createPlace(control, shown);
    const seen: boolean[] = [];
    const look = () => seen.push(shown.current().paused);

    place.heard({ ...control, paused: true });
    look();
    place.heard({ ...control, paused: false });
    look();
    place.goOn();
    look();

    expect(seen).toEqual([true, true, false]);
  });

  it('passes every other wish on, and says nothing where nothing changed', () => {
    const shown = createControlBox(control);
    const place = createPlace(control, shown);
    let changes = 0;
    place.onChange(() => {
      changes += 1;
    });

    place.heard({ ...control, bandwidthBytesPerSecond: 5 });

    expect(shown.current()).toEqual({ ...control, bandwidthBytesPerSecond: 5 });
    expect(changes).toBe(0);
  });
});
