import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Hanging, hanging } from '../data-path/helpers/faults/hanging.ts';
import { type AgentRig, agentRig, INTERVAL_MS } from './helpers/agent-rig.ts';
import { contentOf, copyScene } from './helpers/copy-scene.ts';
import { spoil } from './helpers/spoiled.ts';

const STALL_AFTER_MS = 60_000;
const DEADLINE_MS = 30_000;

/** By condition, with a deadline that only a failure meets: a handshake may take its time on a busy machine. */
const until = (what: string, holds: () => boolean): Promise<void> =>
  vi.waitFor(
    () => {
      if (!holds()) throw new Error(`it never came: ${what}`);
    },
    { timeout: DEADLINE_MS, interval: 2 },
  );

/** A copy whose source does not answer a read, or whose destination does not answer a write or a flush. */
const hung = async (mode: 'ro' | 'rw', way: 'read' | 'write' | 'flush') => {
  const agent = await agentRig();
  const scene = await copyScene(agent);
  const devices: Hanging[] = [];
  spoil(agent, mode, (device) => {
    const one = hanging(way, 1, device);
    devices.push(one);
    return one;
  });
  const release = (): void => {
    vi.restoreAllMocks();
    for (const device of devices) device.release();
  };
  onTestFinished(release);
  const stop = new AbortController();
  const running = agent.run(scene.job, stop.signal);
  await until('it hangs', () => devices.some((device) => device.hung()));
  return { agent, ...scene, running, stop, release };
};

const HANGS = [
  ['a read of the source', 'ro', 'read'],
  ['a write of the destination', 'rw', 'write'],
  ['a flush of the destination', 'rw', 'flush'],
] as const;

const reported = async (agent: AgentRig, times: number): Promise<void> => {
  for (let nth = 0; nth < times; nth++) {
    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
    agent.clock.advanceMs(STALL_AFTER_MS);
    agent.time.wake(INTERVAL_MS);
  }
  await until('it has reported', () => agent.time.sleeping(INTERVAL_MS) === 1);
};

describe('a copy that waits for an answer that does not come', () => {
  it.each(HANGS)(
    'to %s ends at once when it is cancelled, and has lost nothing of the source',
    async (_what, mode, way) => {
      const { agent, job, source, running, release } = await hung(mode, way);

      running.heard(await agent.wish(job, { cancel: true }));
      await running.done;

      expect((await agent.stored(job)).stage).toMatchObject({ state: 'failed', failure: { code: 'Cancelled' } });
      release();
      expect((await contentOf(agent, source)).subarray(1000, 1010)).toEqual(Buffer.alloc(10, 0x17));
    },
  );

  it.each(HANGS)('to %s ends at once when the agent stops, and writes no result', async (_what, mode, way) => {
    const { agent, job, running, stop, release } = await hung(mode, way);

    stop.abort(new Error('the lease is lost'));
    await running.done;

    expect((await agent.stored(job)).stage).toMatchObject({ state: 'running' });
    release();
  });

  it.each(HANGS)('to %s says that it stalls, once', async (_what, mode, way) => {
    const { agent, job, running, stop, release } = await hung(mode, way);

    await reported(agent, 4);

    const stored = await agent.stored(job);
    expect(stored.stalledSinceMs).not.toBeNull();
    expect(stored.progress).toMatchObject({ rateBytesPerSecond: 0 });
    expect(agent.notifier.events.filter((event) => event.detailType === 'Volume Migration Stalled')).toHaveLength(1);
    stop.abort(new Error('enough'));
    release();
    await running.done;
  });

  it.each(HANGS)('to %s goes on when it comes after all', async (_what, mode, way) => {
    const { agent, job, source, destination, running, release } = await hung(mode, way);
    await reported(agent, 2);

    release();
    await running.done;

    const stored = await agent.stored(job);
    expect(stored.stage).toMatchObject({ state: 'succeeded' });
    expect(stored.stalledSinceMs).toBeNull();
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });
});

describe('a seal', () => {
  it('waits for a write that the destination’s storage does not answer: until then nobody can say what is stored', async () => {
    const { agent, job, running, stop, release } = await hung('rw', 'write');
    stop.abort(new Error('the agent stops'));
    await running.done;
    let sealed = false;

    const sealing = agent.parts.exports.seal(job.migrationId ?? '', 1).then(() => {
      sealed = true;
    });
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    const before = sealed;
    release();
    await sealing;

    expect(before).toBe(false);
  });
});
