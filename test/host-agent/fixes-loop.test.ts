import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import { type LoopDeps, runLoop } from '../../host-agent/loop.ts';
import { aJob } from '../helpers/factories.ts';
import { aRunningJob } from '../helpers/running-job.ts';

const turns = async (n = 50): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A loop over one job that never ends in the store; every attempt ends at once. The test moves the time. */
const rig = (change: Partial<LoopDeps> = {}) => {
  const state = { nowMs: 0, begun: 0, listed: 0, jobs: [aJob()] as Job[] };
  const sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  const force = new AbortController();
  const loop = runLoop(
    {
      list: async () => {
        state.listed += 1;
        return state.jobs;
      },
      run: (job) => {
        state.begun += 1;
        return aRunningJob(job);
      },
      nextLook: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
          if (signal.aborted) resolve();
        }),
      places: { host: 1, backends: {} },
      onProblem: () => undefined,
      monotonicMs: () => state.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const one = { atMs: state.nowMs + ms, wake: resolve };
          sleepers.add(one);
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      ...change,
    },
    new AbortController().signal,
    force.signal,
  );
  return {
    state,
    async advanceMs(ms: number): Promise<void> {
      state.nowMs += ms;
      for (const one of sleepers) if (one.atMs <= state.nowMs) one.wake();
      await turns();
    },
    async stop(): Promise<void> {
      force.abort();
      await loop;
    },
  };
};

describe('an attempt that leaves no result', () => {
  it('is not begun again at once, but after a second, then two, up to half a minute', async () => {
    const agent = rig();
    await turns();
    const begunAtMs: number[] = [0];

    for (let second = 1; second <= 100; second++) {
      const before = agent.state.begun;
      await agent.advanceMs(1_000);
      if (agent.state.begun > before) begunAtMs.push(second);
    }

    expect(begunAtMs).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    expect(agent.state.begun).toBe(begunAtMs.length);
    await agent.stop();
  });

  it('does not make the loop look without end', async () => {
    const agent = rig();

    await turns(500);

    expect(agent.state.begun).toBe(1);
    expect(agent.state.listed).toBeLessThan(5);
    await agent.stop();
  });

  it('holds nobody else up', async () => {
    const agent = rig();
    await turns();
    agent.state.jobs = [...agent.state.jobs, { ...aJob(), id: 'other' }];

    await agent.advanceMs(1_000);

    expect(agent.state.begun).toBe(3);
    await agent.stop();
  });
});

describe('a host that may not begin anything', () => {
  it('begins nothing, and takes up its jobs at the next look when it may', async () => {
    let may = false;
    let message: () => void = () => undefined;
    const agent = rig({
      mayBegin: () => may,
      nextLook: () =>
        new Promise((resolve) => {
          message = resolve;
        }),
    });
    await turns();
    message();
    await turns();
    const before = agent.state.begun;

    may = true;
    message();
    await turns();

    expect([before, agent.state.begun]).toEqual([0, 1]);
    const stopping = agent.stop();
    message();
    await stopping;
  });

  it('asks again after the list was read: it may have been frozen meanwhile', async () => {
    let may = true;
    const agent = rig({
      mayBegin: () => may,
      list: async () => {
        may = false;
        return [aJob()];
      },
    });

    await turns();

    expect(agent.state.begun).toBe(0);
    await agent.stop();
  });
});
