import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job, JobSpec } from '../../domain/job/job.ts';
import { NO_CONTROL } from '../../domain/job/job.ts';
import { backendOf, compareQueued, HEAD_START_MS, isQueued, lacks, queueOf } from '../../domain/job/queue.ts';
import { PRIORITIES, type Priority } from '../../domain/priority.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aReport, COPY_SPEC, SOURCE_OBJECT } from '../helpers/factories.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const specOf = (kind: 'data.copy' | 'data.verify', backend: string): JobSpec =>
  kind === 'data.copy' && COPY_SPEC.kind === 'data.copy'
    ? { kind, input: { ...COPY_SPEC.input, source: { ...SOURCE_OBJECT, backend } } }
    : {
        kind: 'data.verify',
        input: {
          object: { ...SOURCE_OBJECT, backend },
          sizeBytes: 1,
          progressIntervalSeconds: null,
          digest: true,
        },
      };

interface Who {
  readonly priority?: Priority;
  readonly queuedAtMs?: number;
  readonly backend?: string;
  readonly kind?: 'data.copy' | 'data.verify';
  readonly change?: Partial<Job>;
}

const waits = (
  id: string,
  { priority, queuedAtMs = 0, backend = 'files', kind = 'data.copy', change }: Who = {},
): Job =>
  aJob(
    {
      id,
      queuedAtMs: START_MS + queuedAtMs,
      control: { ...NO_CONTROL, ...(priority ? { priority } : {}) },
      ...change,
    },
    specOf(kind, backend),
  );
const atWork = (id: string, who: Who = {}, change: Partial<Job> = {}): Job =>
  waits(id, { ...who, change: { stage: { state: 'running', incarnation: 'now', sinceMs: START_MS }, ...change } });

const order = (...jobs: Job[]): string[] => jobs.toSorted(compareQueued).map(({ id }) => id);
const NO_LIMIT = { host: 99, backends: {} };

const anyJob = fc
  .record({
    id: fc.uuid(),
    priority: fc.constantFrom(...PRIORITIES),
    // close ones often meet, the far ones are where the head starts end
    queuedAtMs: fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 4 * DAY_MS }),
      fc.constantFrom(DAY_MS, 2 * DAY_MS),
    ),
    backend: fc.constantFrom('files', 'luns'),
    kind: fc.constantFrom('data.copy' as const, 'data.verify' as const),
  })
  .map(({ id, ...who }) => waits(id, who));
const anyQueue = fc.uniqueArray(anyJob, { maxLength: 12, selector: ({ id }) => id });

describe('the order of those that wait', () => {
  it('is by priority, then by who came first, then by id', () => {
    const jobs = [
      waits('low', { priority: 'low', queuedAtMs: 1 }),
      waits('late', { queuedAtMs: 9 }),
      waits('b', { queuedAtMs: 5 }),
      waits('a', { queuedAtMs: 5 }),
      waits('high', { priority: 'high', queuedAtMs: 20 * HOUR_MS }),
    ];

    expect(order(...jobs)).toEqual(['high', 'a', 'b', 'late', 'low']);
  });

  it('takes a job that says nothing of a priority for a normal one', () => {
    expect(order(waits('low', { priority: 'low' }), waits('silent'), waits('high', { priority: 'high' }))).toEqual([
      'high',
      'silent',
      'low',
    ]);
  });

  it('is the same whatever order the list comes in, and no two share a place', () => {
    fc.assert(
      fc.property(anyQueue, fc.func(fc.integer()), (jobs, salt) => {
        const shuffled = jobs.toSorted((a, b) => salt(a.id) - salt(b.id));
        expect(order(...shuffled)).toEqual(order(...jobs));
        for (const a of jobs) for (const b of jobs) expect(compareQueued(a, b) === 0).toBe(a === b);
      }),
    );
  });

  it('is total: what comes before comes before in every company', () => {
    fc.assert(
      fc.property(anyJob, anyJob, anyJob, (a, b, c) => {
        expect(Math.sign(compareQueued(a, b))).toBe(-Math.sign(compareQueued(b, a)) + 0);
        if (compareQueued(a, b) <= 0 && compareQueued(b, c) <= 0) expect(compareQueued(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('never lets a lower priority pass a higher one that came within the same day', () => {
    fc.assert(
      fc.property(anyJob, anyJob, (a, b) => {
        const [rankA, rankB] = [a, b].map(({ control }) => PRIORITIES.indexOf(control.priority ?? 'normal'));
        fc.pre((rankA ?? 0) > (rankB ?? 0) && Math.abs(a.queuedAtMs - b.queuedAtMs) < DAY_MS);
        expect(compareQueued(a, b)).toBeLessThan(0);
      }),
    );
  });

  it('lets nobody who comes later than the longest head start pass', () => {
    const longestMs = HEAD_START_MS.high - HEAD_START_MS.low;
    fc.assert(
      fc.property(anyJob, anyJob, (first, other) => {
        const later = { ...other, queuedAtMs: first.queuedAtMs + longestMs + other.queuedAtMs - START_MS };
        fc.pre(later.id !== first.id && later.queuedAtMs > first.queuedAtMs + longestMs);
        expect(compareQueued(first, later)).toBeLessThan(0);
      }),
    );
  });

  it('starves nobody: with one place and an urgent copy every hour for ever, the least urgent runs in the third day', () => {
    const waiting = [waits('low', { priority: 'low' })];
    let hour = 0;
    let served: string | undefined;
    while (served !== 'low' && hour < 1_000) {
      waiting.push(waits(`high ${hour}`, { priority: 'high', queuedAtMs: hour * HOUR_MS }));
      waiting.sort(compareQueued);
      served = waiting.shift()?.id;
      hour += 1;
    }

    expect(served).toBe('low');
    // 48 of the urgent ones came within its two days
    expect(hour).toBe(49);
  });
});

describe('a place', () => {
  it('at a backend is that of the source for a copy, and of what is read back for a read-back', () => {
    expect(backendOf(waits('copy', { backend: 'x' }))).toBe('x');
    expect(backendOf(waits('verify', { kind: 'data.verify', backend: 'y' }))).toBe('y');
    expect(
      backendOf(aJob({}, { kind: 'object.remove', input: { objectName: 'o', objectId: null, place: SOURCE_OBJECT } })),
    ).toBeUndefined();
  });

  it('is lacked for the backend, where that is what is full, else for the host', () => {
    const busy = [atWork('1'), atWork('2')];
    const places = { host: 3, backends: { files: 2, luns: 2 } };

    expect(lacks(waits('more files'), busy, places)).toBe('backend');
    expect(lacks(waits('luns', { backend: 'luns' }), busy, places)).toBeUndefined();
    expect(lacks(waits('luns', { backend: 'luns' }), [...busy, atWork('3')], { host: 3, backends: {} })).toBe('host');
    expect(lacks(waits('toString', { backend: 'toString' }), busy, places)).toBeUndefined();
  });

  it('is never given above a limit, when it is given in order to whoever lacks nothing', () => {
    const limits = fc.record({
      host: fc.integer({ min: 1, max: 4 }),
      backends: fc.record({ files: fc.integer({ min: 1, max: 3 }) }),
    });
    fc.assert(
      fc.property(anyQueue, limits, (jobs, places) => {
        const holding: Job[] = [];
        for (const job of jobs.toSorted(compareQueued)) if (!lacks(job, holding, places)) holding.push(job);
        const files = (some: readonly Job[]): number => some.filter((job) => backendOf(job) === 'files').length;
        expect(holding.length).toBeLessThanOrEqual(places.host);
        expect(files(holding)).toBeLessThanOrEqual(places.backends.files);
        // and none is kept free from somebody who could have it
        for (const job of jobs) if (!holding.includes(job)) expect(lacks(job, holding, places)).toBeDefined();
      }),
    );
  });
});

describe('the queue of a host', () => {
  const places = { host: 2, backends: { files: 1 } };

  it('numbers those that wait, and says what each waits for', () => {
    const jobs = [
      atWork('runs'),
      waits('b', { queuedAtMs: 2 }),
      waits('a'),
      waits('luns', { backend: 'luns', queuedAtMs: 3 }),
    ];

    const queue = queueOf(jobs, places, 'now');

    expect([...queue]).toEqual([
      ['a', { position: 1, of: 3, waitingFor: 'backend', hostId: 'host-a', backend: 'files' }],
      ['b', { position: 2, of: 3, waitingFor: 'backend', hostId: 'host-a', backend: 'files' }],
      ['luns', { position: 3, of: 3, waitingFor: 'host', hostId: 'host-a', backend: 'luns' }],
    ]);
  });

  it('counts neither who is paused or has ended, nor what is no copy or read-back', () => {
    const paused = { control: { ...NO_CONTROL, paused: true } };
    const failed = { state: 'failed', endedAtMs: 1, failure: { code: 'Internal', message: '', remedy: '' } } as const;
    const jobs = [
      waits('paused', { change: paused }),
      atWork('paused at work', {}, paused),
      waits('ended', { change: { stage: failed } }),
      aJob(
        { id: 'removal' },
        { kind: 'object.remove', input: { objectName: 'o', objectId: null, place: SOURCE_OBJECT } },
      ),
      waits('waits'),
    ];

    expect([...queueOf(jobs, places, 'now').values()]).toMatchObject([{ position: 1, of: 1, waitingFor: 'host' }]);
  });

  it('has whoever was let go on after a pause and got no place, and what an agent that is gone has left', () => {
    const again = atWork('again', {}, { progress: aReport({ activity: 'queued' }) });
    const left = atWork('left', {}, { stage: { state: 'running', incarnation: 'before', sinceMs: START_MS } });

    expect([...queueOf([again, left, atWork('runs')], NO_LIMIT, 'now').keys()]).toEqual(['again', 'left']);
    expect(isQueued(atWork('runs'), 'now')).toBe(false);
  });
});
