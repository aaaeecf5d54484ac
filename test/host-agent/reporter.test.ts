import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Job } from '../../domain/job/job.ts';
import { failJob, type Holder, takeJob, wishJob } from '../../domain/job/steps.ts';
import type { Measured } from '../../host-agent/jobs/context.ts';
import { createReporter, type Reporter } from '../../host-agent/jobs/reporter.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore, type Store } from '../../store/store.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aJob, aReport } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { recordedEvents } from './helpers/recorders.ts';

const ID: [string, string] = [aJob().hostId, aJob().id];
const TOTAL = 1_000;

const rig = async (change: Partial<Job> = {}, store: Store = createStore(memoryRecords())) => {
  const clock = fakeClock();
  const notifier = recordedEvents();
  await store.jobs.create(aJob(change));
  const before = (await store.jobs.get(...ID))?.attempt ?? 0;
  const taken = await store.jobs.apply(ID, takeJob('incarnation', before, clock.nowMs()));
  const holder: Holder = { attempt: taken.value.attempt, incarnation: 'incarnation' };
  const stall = { monotonicMs: () => clock.nowMs(), stallAfterSeconds: 60, stallFailAfterSeconds: 600 };
  const reporter = createReporter({ store, notifier, clock, ...stall }, taken, () => holder);
  return { store, clock, notifier, reporter, stored: async () => (await store.jobs.get(...ID)) as Job };
};

const at = (reporter: Reporter, settledBytes: number, more: Partial<Measured> = {}): void =>
  reporter.measured({ settledBytes, totalBytes: TOTAL, rateBytesPerSecond: 10, ...more });

const stalledOf = ({ events }: { events: { detailType: string }[] }): number =>
  events.filter((event) => event.detailType === 'Volume Migration Stalled').length;

const wish = (store: Store, change: Partial<Job['control']>) =>
  store.jobs.apply(ID, wishJob(change, volmoveError('Cancelled', { by: 'test' }).toFailure(), 0));

describe('a report', () => {
  it('writes how far the attempt is, tells subscribers, and counts itself', async () => {
    const { reporter, stored, notifier, clock } = await rig();
    at(reporter, 100);
    await reporter.report();
    clock.advanceMs(10_000);
    at(reporter, 300);
    await reporter.report();

    const job = await stored();

    expect(job.recent.map((r) => [r.n, r.doneBytes])).toEqual([
      [1, 100],
      [2, 300],
    ]);
    expect(job.progress).toMatchObject({ doneBytes: 300, totalBytes: TOTAL, attempt: 1, atMs: clock.nowMs() });
    const sequences = notifier.events.map((event) => event.detail.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(sequences.length).toBe(2);
  });

  it('never goes back: an attempt that goes on from a checkpoint shows what was shown until it is beyond it', async () => {
    const { reporter, stored } = await rig({ attempt: 4, progress: aReport({ doneBytes: 700, attempt: 4 }) });
    const shown: number[] = [];

    for (const settled of [200, 500, 690, 710, 600]) {
      at(reporter, settled);
      await reporter.report();
      shown.push((await stored()).progress?.doneBytes ?? -1);
    }

    expect(shown).toEqual([700, 700, 700, 710, 710]);
    expect((await stored()).progress?.attempt).toBe(5);
  });

  it('brings the wishes back as they stand, also before anything was measured', async () => {
    const { reporter, store } = await rig();
    await wish(store, { paused: true });
    const early = await reporter.report();
    at(reporter, 1);
    await wish(store, { bandwidthBytesPerSecond: 7 });

    const late = await reporter.report();

    expect(early.paused).toBe(true);
    expect(late).toMatchObject({ paused: true, bandwidthBytesPerSecond: 7 });
  });

  it('is the last one for the write that ends the job, with a number of its own', async () => {
    const { reporter } = await rig();
    const nothing = reporter.last();
    at(reporter, 100);
    await reporter.report();
    at(reporter, TOTAL);

    const last = reporter.last();

    expect(nothing).toBeUndefined();
    expect(last).toMatchObject({ doneBytes: TOTAL, n: 2 });
  });
});

describe('a stall', () => {
  it('is marked in the job and told once, however long it lasts, and is over when something moves', async () => {
    const { reporter, clock, notifier, stored } = await rig();
    const marks: (number | null)[] = [];
    const beganMs = clock.nowMs();
    at(reporter, 100);
    for (let i = 0; i < 12; i++) {
      await reporter.report();
      marks.push((await stored()).stalledSinceMs);
      clock.advanceMs(10_000);
    }
    const toldOnce = stalledOf(notifier);

    at(reporter, 101);
    await reporter.report();

    expect(marks).toEqual([...Array.from({ length: 6 }, () => null), ...Array.from({ length: 6 }, () => beganMs)]);
    expect(toldOnce).toBe(1);
    expect((await stored()).stalledSinceMs).toBeNull();
  });

  it('that comes again is told again', async () => {
    const { reporter, clock, notifier } = await rig();

    for (const settled of [1, 1, 2, 2]) {
      at(reporter, settled);
      await reporter.report();
      clock.advanceMs(61_000);
    }

    expect(stalledOf(notifier)).toBe(2);
  });

  it('is none while the copy is paused', async () => {
    const { reporter, clock, notifier, stored } = await rig();
    at(reporter, 100);
    at(reporter, 100, { activity: 'paused' });
    await reporter.report();

    clock.advanceMs(86_400_000);
    await reporter.report();

    expect(stalledOf(notifier)).toBe(0);
    expect(reporter.stall.failure()).toBeUndefined();
    expect((await stored()).progress).toMatchObject({ activity: 'paused', doneBytes: 100 });
  });

  it('is one when a pause is wished, and what is under way never ends', async () => {
    const { reporter, clock, store, notifier } = await rig();
    at(reporter, 100);
    await wish(store, { paused: true });
    await reporter.report();

    clock.advanceMs(61_000);
    await reporter.report();

    expect(stalledOf(notifier)).toBe(1);
  });

  it('is counted from the end of a pause, not through it', async () => {
    const { reporter, clock, notifier } = await rig();
    at(reporter, 100, { activity: 'paused' });
    await reporter.report();
    clock.advanceMs(600_000);
    at(reporter, 100);
    await reporter.report();

    clock.advanceMs(59_000);
    await reporter.report();
    const before = stalledOf(notifier);
    clock.advanceMs(1_000);
    await reporter.report();

    expect([before, stalledOf(notifier)]).toEqual([0, 1]);
  });

  it('is none while the end of a larger destination is zeroed, and one when that stops', async () => {
    const { reporter, clock, notifier, stored } = await rig();
    at(reporter, TOTAL);
    const seen: unknown[] = [];
    for (const doneBytes of [0, 10, 20, 20]) {
      at(reporter, TOTAL, { activity: 'zeroing', zeroing: { doneBytes, totalBytes: 40 }, rateBytesPerSecond: 5 });
      await reporter.report();
      clock.advanceMs(59_000);
      seen.push((await stored()).progress?.zeroing);
    }
    await reporter.report();

    expect(seen.at(-1)).toEqual({ doneBytes: 20, totalBytes: 40 });
    expect(stalledOf(notifier)).toBe(1);
  });

  it('is not seen in a chunk that has to wait for a slow limit', async () => {
    const { reporter, clock, store, notifier } = await rig();
    await wish(store, { bandwidthBytesPerSecond: 10_240 });
    at(reporter, 100);
    await reporter.report();
    const told: number[] = [];

    for (const ms of [150_000, 12_500]) {
      clock.advanceMs(ms);
      await reporter.report();
      told.push(stalledOf(notifier));
    }

    expect(told).toEqual([0, 1]);
  });

  it('that lasts for too long is a reason to fail, and says for how long', async () => {
    const { reporter, clock } = await rig();
    at(reporter, 100);

    clock.advanceMs(599_999);
    const before = reporter.stall.failure();
    clock.advanceMs(1);

    expect(before).toBeUndefined();
    expect(reporter.stall.failure()).toMatchObject({ code: 'Stalled', message: 'Nothing has moved for 600 s.' });
  });
});

describe('an attempt that was taken over', () => {
  it('learns it with its report, and has written nothing over the newer one', async () => {
    const { reporter, store, stored } = await rig();
    at(reporter, 100);
    await store.jobs.apply(ID, takeJob('newer', 1, 0));

    const error = await refusalOf(reporter.report());

    expect(error.code).toBe('JobSuperseded');
    expect(await stored()).toMatchObject({ attempt: 2, progress: null });
  });

  it('learns that its job was failed by somebody else', async () => {
    const { reporter, store } = await rig();
    at(reporter, 100);
    await store.jobs.apply(ID, failJob(volmoveError('HostLost', { hostId: 'h', forSeconds: 1 }).toFailure(), 0));

    expect((await refusalOf(reporter.report())).code).toBe('JobSuperseded');
  });

  it('learns it also when it has measured nothing yet', async () => {
    const { reporter, store } = await rig();
    await store.jobs.apply(ID, takeJob('newer', 1, 0));

    expect((await refusalOf(reporter.report())).code).toBe('JobSuperseded');
  });
});
