import { describe, expect, it } from 'vitest';
import type { Job, JobKind } from '../../domain/job/job.ts';
import type { RunningJob } from '../../host-agent/jobs/run-job.ts';
import { runLoop } from '../../host-agent/loop.ts';
import { type Deferred, deferred, until } from '../data-path/helpers/until.ts';
import { aJob } from '../helpers/factories.ts';

const jobOf = (id: string, kind: JobKind, queuedAtMs = 0): Job => ({ ...aJob(), id, kind, queuedAtMs }) as Job;

interface Begun {
  readonly job: Job;
  readonly stop: AbortSignal;
  readonly end: Deferred;
  readonly heard: Job[];
  rests: boolean;
}

/** A loop over a list that the test changes; it looks when the test says so, or when a slot frees. */
const rig = (heavySlots: number, first: readonly Job[]) => {
  const begun: Begun[] = [];
  const problems: string[] = [];
  const graceful = new AbortController();
  const force = new AbortController();
  const state = { jobs: [...first], looks: 0, failing: false, over: false };
  let message = deferred();
  const run = (job: Job, stop: AbortSignal): RunningJob => {
    const one: Begun = { job, stop, end: deferred(), heard: [], rests: false };
    begun.push(one);
    // an ended job leaves the list, as its item does in the store
    const done = one.end.promise.then(() => {
      state.jobs = state.jobs.filter((j) => j.id !== job.id);
    });
    return {
      id: job.id,
      kind: job.kind,
      get rests() {
        return one.rests;
      },
      heard: (seen) => one.heard.push(seen),
      done,
    };
  };
  const loop = runLoop(
    {
      list: async () => {
        state.looks += 1;
        if (state.failing) throw new Error('the store is away');
        return state.jobs;
      },
      run,
      nextLook: (signal) =>
        new Promise((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
          void message.promise.then(resolve);
        }),
      heavySlots,
      onProblem: (what) => problems.push(what),
    },
    graceful.signal,
    force.signal,
  ).then(() => {
    state.over = true;
  });
  const look = async (): Promise<void> => {
    const before = state.looks;
    const said = message;
    message = deferred();
    said.resolve();
    await until('it has looked', () => state.looks > before);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const firstLook = until('the first look is over', () => state.looks > 0).then(
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  return { begun, problems, graceful, force, state, loop, look, firstLook, ids: () => begun.map((b) => b.job.id) };
};

const stopAll = async ({ force, begun, loop }: ReturnType<typeof rig>): Promise<void> => {
  force.abort();
  for (const { end } of begun) end.resolve();
  await loop;
};

describe('the loop', () => {
  it('begins the oldest jobs first, as many heavy ones as there are slots, and the next when one ends', async () => {
    const copies = ['c', 'a', 'b'].map((id, i) => jobOf(id, 'data.copy', [3, 1, 2][i]));
    const agent = rig(2, copies);
    await agent.firstLook;
    const before = agent.ids();

    agent.begun[0]?.end.resolve();
    await until('the third has begun', () => agent.begun.length === 3);

    expect(before).toEqual(['a', 'b']);
    expect(agent.ids()).toEqual(['a', 'b', 'c']);
    await stopAll(agent);
  });

  it('gives the place of a copy that is paused to another', async () => {
    const agent = rig(1, [jobOf('paused', 'data.copy', 1), jobOf('waits', 'data.copy', 2)]);
    await agent.firstLook;
    const before = agent.ids();

    if (agent.begun[0]) agent.begun[0].rests = true;
    await agent.look();

    expect(before).toEqual(['paused']);
    expect(agent.ids()).toEqual(['paused', 'waits']);
    await stopAll(agent);
  });

  it('never makes a removal, a create or a preparation wait for copies and read-backs', async () => {
    const agent = rig(1, [
      jobOf('copy', 'data.copy', 1),
      jobOf('verify', 'data.verify', 2),
      jobOf('remove', 'object.remove', 3),
      jobOf('prepare', 'destination.prepare', 4),
      jobOf('create', 'volume.create', 5),
    ]);

    await agent.firstLook;

    expect(agent.ids()).toEqual(['copy', 'remove', 'prepare', 'create']);
    await stopAll(agent);
  });

  it('never makes a copy wait for removals, however many there are', async () => {
    const removals = Array.from({ length: 40 }, (_, i) => jobOf(`r${i}`, 'object.remove', i));
    const agent = rig(1, [...removals, jobOf('copy', 'data.copy', 99)]);

    await agent.firstLook;

    expect(agent.ids()).toContain('copy');
    expect(agent.begun.length).toBe(17);
    await stopAll(agent);
  });

  it('tells a job that runs what it read of it, and begins it only once', async () => {
    const agent = rig(1, [jobOf('copy', 'data.copy')]);
    await agent.firstLook;
    const wished = { ...jobOf('copy', 'data.copy'), control: { ...aJob().control, paused: true } } as Job;
    agent.state.jobs = [wished];

    await agent.look();

    expect(agent.begun.length).toBe(1);
    expect(agent.begun[0]?.heard.at(-1)).toEqual(wished);
    await stopAll(agent);
  });

  it('does not begin what has ended', async () => {
    const failed = { state: 'failed', endedAtMs: 1, failure: { code: 'Internal', message: '', remedy: '' } } as const;
    const agent = rig(1, [{ ...jobOf('copy', 'data.copy'), stage: failed }]);

    await agent.firstLook;

    expect(agent.begun).toEqual([]);
    await stopAll(agent);
  });

  it('goes on when the list cannot be read, and says so', async () => {
    const agent = rig(1, []);
    await agent.firstLook;
    agent.state.failing = true;
    await agent.look();
    agent.state.failing = false;
    agent.state.jobs = [jobOf('copy', 'data.copy')];

    await agent.look();

    expect(agent.problems).toEqual(['listing the jobs']);
    expect(agent.ids()).toEqual(['copy']);
    await stopAll(agent);
  });
});

describe('the end of the loop', () => {
  it('in good order stops the heavy jobs, lets the short ones end, and begins nothing new', async () => {
    const agent = rig(1, [jobOf('copy', 'data.copy'), jobOf('remove', 'object.remove')]);
    await agent.firstLook;

    agent.graceful.abort();
    agent.state.jobs.push(jobOf('late', 'object.remove'));
    const stopped = agent.begun.map((b) => b.stop.aborted);
    agent.begun[0]?.end.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    const overTooEarly = agent.state.over;
    agent.begun[1]?.end.resolve();
    await agent.loop;

    expect(stopped).toEqual([true, false]);
    expect(overTooEarly).toBe(false);
    expect(agent.ids()).toEqual(['copy', 'remove']);
  });

  it('by force, also after a graceful stop that takes too long, stops everything and waits until it has stopped', async () => {
    const agent = rig(1, [jobOf('copy', 'data.copy'), jobOf('remove', 'object.remove')]);
    await agent.firstLook;
    agent.graceful.abort();

    agent.force.abort();
    const stopped = agent.begun.map((b) => b.stop.aborted);
    await new Promise((resolve) => setImmediate(resolve));
    const overTooEarly = agent.state.over;
    for (const { end } of agent.begun) end.resolve();
    await agent.loop;

    expect(stopped).toEqual([true, true]);
    expect(overTooEarly).toBe(false);
  });
});
