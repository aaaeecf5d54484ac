import { describe, expect, it } from 'vitest';
import type { Job, JobControl, JobKind, JobSpec } from '../../domain/job/job.ts';
import { backendOf } from '../../domain/job/queue.ts';
import type { RunningJob } from '../../host-agent/jobs/run-job.ts';
import { runLoop } from '../../host-agent/loop.ts';
import { type Deferred, deferred, until } from '../data-path/helpers/until.ts';
import { aJob, SOURCE_OBJECT } from '../helpers/factories.ts';

const jobOf = (id: string, kind: JobKind, queuedAtMs = 0): Job => ({ ...aJob(), id, kind, queuedAtMs }) as Job;

const VERIFY_SPEC: JobSpec = {
  kind: 'data.verify',
  input: { object: SOURCE_OBJECT, sizeBytes: SOURCE_OBJECT.sizeBytes, progressIntervalSeconds: null, digest: true },
};

interface Begun {
  readonly job: Job;
  readonly stop: AbortSignal;
  readonly end: Deferred;
  readonly heard: Job[];
  readonly onPlace: () => void;
  rests: boolean;
  waits: boolean;
  wentOn: number;
}

/** A loop over a list that the test changes; it looks when the test says so, or when a slot frees. */
const rig = (host: number, first: readonly Job[], backends: Readonly<Record<string, number>> = {}) => {
  const begun: Begun[] = [];
  const problems: string[] = [];
  const graceful = new AbortController();
  const force = new AbortController();
  const state = { jobs: [...first], looks: 0, failing: false, over: false };
  let message = deferred();
  const run = (job: Job, stop: AbortSignal, onPlace: () => void): RunningJob => {
    const one: Begun = { job, stop, end: deferred(), heard: [], onPlace, rests: false, waits: false, wentOn: 0 };
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
      get waits() {
        return one.waits;
      },
      goOn() {
        one.wentOn += 1;
        one.rests = false;
        one.waits = false;
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
      places: { host, backends },
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
      { ...aJob({}, VERIFY_SPEC), id: 'verify', queuedAtMs: 2 },
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

describe('the queue', () => {
  const copy = (id: string, queuedAtMs = 0, control: Partial<JobControl> = {}, backend = 'files'): Job => {
    const job = jobOf(id, 'data.copy', queuedAtMs);
    if (job.kind !== 'data.copy') throw new Error('It is no copy.');
    const source = { ...job.input.source, backend };
    return { ...job, input: { ...job.input, source }, control: { ...job.control, ...control } };
  };
  const stateOfTheHost = { state: 'running', incarnation: 'before', sinceMs: 0 } as const;

  it('is by priority: an urgent copy goes before those that came first', async () => {
    const agent = rig(1, [copy('first'), copy('second', 1), copy('urgent', 2, { priority: 'high' })]);
    await agent.firstLook;

    agent.begun[0]?.end.resolve();
    await until('the next has begun', () => agent.begun.length === 2);

    expect(agent.ids()).toEqual(['urgent', 'first']);
    await stopAll(agent);
  });

  it('goes by a priority that was changed while the copy waited', async () => {
    const agent = rig(1, [copy('runs'), copy('a', 1), copy('b', 2)]);
    await agent.firstLook;
    agent.state.jobs = [copy('runs'), copy('a', 1), copy('b', 2, { priority: 'high' })];
    await agent.look();

    agent.begun[0]?.end.resolve();
    await until('the next has begun', () => agent.begun.length === 2);

    expect(agent.ids()).toEqual(['runs', 'b']);
    await stopAll(agent);
  });

  it('never stops a copy that runs for one that is more urgent', async () => {
    const agent = rig(1, [copy('runs', 0, { priority: 'low' })]);
    await agent.firstLook;
    agent.state.jobs.push(copy('urgent', 1, { priority: 'high' }));

    await agent.look();

    expect(agent.ids()).toEqual(['runs']);
    expect(agent.begun[0]?.stop.aborted).toBe(false);
    await stopAll(agent);
  });

  it('keeps the limit of a backend, and lets others pass whose backend is free', async () => {
    const jobs = [copy('a'), copy('b', 1), copy('c', 2, {}, 'luns'), copy('d', 3, {}, 'luns')];
    const agent = rig(3, jobs, { files: 1 });
    await agent.firstLook;
    const before = agent.ids();

    agent.begun[0]?.end.resolve();
    await until('the next has begun', () => agent.begun.length === 4);

    expect(before).toEqual(['a', 'c', 'd']);
    expect(agent.ids()).toEqual(['a', 'c', 'd', 'b']);
    await stopAll(agent);
  });

  it('never makes a preparation or a removal wait for the limit of a backend', async () => {
    const agent = rig(1, [copy('copy'), jobOf('prepare', 'destination.prepare'), jobOf('remove', 'object.remove')], {
      files: 1,
    });

    await agent.firstLook;

    expect(agent.ids()).toEqual(['copy', 'prepare', 'remove']);
    await stopAll(agent);
  });

  it('gives a place away as soon as a pause is heard of, without a message', async () => {
    const agent = rig(1, [copy('paused'), copy('waits', 1)]);
    await agent.firstLook;

    if (agent.begun[0]) agent.begun[0].rests = true;
    agent.begun[0]?.onPlace();
    await until('the other has begun', () => agent.begun.length === 2);

    expect(agent.ids()).toEqual(['paused', 'waits']);
    await stopAll(agent);
  });

  it('lets a copy whose pause is over go on only when there is a place, and before those that came after it', async () => {
    const agent = rig(1, [copy('paused'), copy('other', 1), copy('later', 2)]);
    await agent.firstLook;
    const [paused] = agent.begun;
    if (!paused) throw new Error('Nothing was begun.');
    paused.rests = true;
    await agent.look();

    paused.waits = true;
    await agent.look();
    const whileFull = paused.wentOn;
    agent.begun[1]?.end.resolve();
    await until('it goes on', () => paused.wentOn > 0);
    await agent.look();

    expect(whileFull).toBe(0);
    expect(paused.wentOn).toBe(1);
    expect(agent.ids()).toEqual(['paused', 'other']);
    await stopAll(agent);
  });

  it('does not begin a copy that is paused before anybody took it, and has no place for it', async () => {
    const agent = rig(1, [copy('paused', 0, { paused: true }), copy('next', 1)]);
    await agent.firstLook;
    const before = agent.ids();
    agent.state.jobs = [copy('paused'), copy('next', 1)];

    agent.begun[0]?.end.resolve();
    await until('it has begun', () => agent.begun.length === 2);

    expect(before).toEqual(['next']);
    expect(agent.ids()).toEqual(['next', 'paused']);
    await stopAll(agent);
  });

  it('takes over a copy that was paused under an older agent, which has to tell that it holds', async () => {
    const agent = rig(1, [{ ...copy('paused', 0, { paused: true }), stage: stateOfTheHost }]);

    await agent.firstLook;

    expect(agent.ids()).toEqual(['paused']);
    await stopAll(agent);
  });

  it('makes nobody wait who only has to end: a copy of an older agent that is cancelled is begun at once', async () => {
    const cancelled = { ...copy('cancelled', 1, { cancel: true }), stage: stateOfTheHost };
    const agent = rig(1, [copy('runs'), cancelled]);

    await agent.firstLook;

    expect(agent.ids()).toEqual(['runs', 'cancelled']);
    await stopAll(agent);
  });

  it('never exceeds a limit, whatever is paused, resumed and ended', async () => {
    const backends = { files: 1, luns: 2 };
    const jobs = Array.from({ length: 12 }, (_, i) => copy(`${i}`, i, {}, ['files', 'luns', 'free'][i % 3]));
    const agent = rig(3, jobs, backends);
    await agent.firstLook;
    const over: string[] = [];
    const check = (): void => {
      const ended = new Set(jobs.filter((job) => !agent.state.jobs.includes(job)));
      const holding = agent.begun.filter((one) => !one.rests && !ended.has(one.job));
      const at = (name: string): number => holding.filter(({ job }) => backendOf(job) === name).length;
      if (holding.length > 3 || at('files') > 1 || at('luns') > 2) over.push(holding.map(({ job }) => job.id).join());
    };
    for (let turn = 0; agent.state.jobs.length > 0 && turn < 200; turn++) {
      const alive = agent.begun.filter(({ job }) => agent.state.jobs.includes(job));
      const one = alive[(turn * 7) % Math.max(1, alive.length)];
      if (one && turn % 3 === 0 && !one.rests) one.rests = true;
      else if (one?.rests) one.waits = true;
      else one?.end.resolve();
      await agent.look();
      check();
    }

    expect(over).toEqual([]);
    expect(agent.begun).toHaveLength(12);
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
