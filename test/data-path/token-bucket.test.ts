import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gone } from '../../bench/windows.ts';
import { createSharedBucket, createTokenBucket, type TokenBucket } from '../../host-agent/copy/token-bucket.ts';
import { thrownBy } from './helpers/thrown.ts';
import { type VirtualTime, virtualTime } from './helpers/virtual-time.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

const bucketOn = (time: VirtualTime, rate: () => number | null): TokenBucket =>
  createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate });
const sharedOn = (time: VirtualTime, rate: () => number | null) =>
  createSharedBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate });

/** Takes one request after the other, and notes what passed. */
const taker = async (time: VirtualTime, bucket: TokenBucket, requests: Iterable<number>, gone: Gone[] = []) => {
  for (const bytes of requests) {
    await bucket.take(bytes, never);
    gone.push({ atMs: time.nowMs(), bytes });
  }
  return gone;
};

function* always(bytes: number): Generator<number> {
  for (;;) yield bytes;
}

const sum = (gone: readonly Gone[], fromMs = 0, untilMs = Number.MAX_SAFE_INTEGER): number =>
  gone.reduce((total, { atMs, bytes }) => total + (atMs >= fromMs && atMs < untilMs ? bytes : 0), 0);

describe('a token bucket', () => {
  it('lets through no more than its rate over any window, beyond one burst and one request', async () => {
    const requests = fc.array(fc.integer({ min: 1, max: MIB }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: MIB, max: 50 * MIB }),
        fc.array(requests, { minLength: 1, maxLength: 8 }),
        async (perSecond, takers) => {
          const time = virtualTime();
          const bucket = bucketOn(time, () => perSecond);
          const gone: Gone[] = [];

          await time.finish(Promise.all(takers.map((one) => taker(time, bucket, one, gone))));

          const allowed = perSecond / 8 + Math.max(...takers.flat());
          for (const [i, from] of gone.entries()) {
            let passed = 0;
            for (const to of gone.slice(i)) {
              passed += to.bytes;
              expect(passed).toBeLessThanOrEqual(allowed + ((to.atMs - from.atMs) / 1000) * perSecond + 1);
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('comes to its rate in the long run: ten seconds of work take about ten seconds', async () => {
    const time = virtualTime();

    await time.finish(
      taker(
        time,
        bucketOn(time, () => 4 * MIB),
        Array.from({ length: 40 }, () => MIB),
      ),
    );

    expect(time.nowMs()).toBeGreaterThan(9_500);
    expect(time.nowMs()).toBeLessThan(10_000);
  });

  it('lets everything through at once without a limit', async () => {
    const time = virtualTime();

    await time.finish(
      taker(
        time,
        bucketOn(time, () => null),
        [MIB, MIB, MIB],
      ),
    );

    expect(time.nowMs()).toBe(0);
  });

  it('lets a request that is larger than a burst through, and makes the next ones pay for it', async () => {
    const time = virtualTime();

    const gone = await time.finish(
      taker(
        time,
        bucketOn(time, () => MIB),
        [8 * MIB, 1],
      ),
    );

    expect(gone.map(({ atMs }) => atMs)).toEqual([0, 8_000]);
  });

  it('takes a new rate within a quarter of a second, also while somebody waits, and forgives what is owed', async () => {
    const time = virtualTime();
    let rate = 1024;
    const gone: Gone[] = [];
    void taker(
      time,
      bucketOn(time, () => rate),
      [MIB, MIB, MIB],
      gone,
    );
    await time.runUntil(10_000);
    const before = gone.length;

    rate = MIB;
    await time.runUntil(12_000);

    expect(before).toBe(1);
    expect(gone[1]?.atMs).toBeLessThanOrEqual(10_250);
    expect((gone[2]?.atMs ?? 0) - (gone[1]?.atMs ?? 0)).toBeLessThanOrEqual(50);
  });

  it('gives no burst for the time before a limit was set', async () => {
    const time = virtualTime();
    let rate: number | null = null;
    const bucket = bucketOn(time, () => rate);
    await time.finish(taker(time, bucket, [MIB]));
    await time.runUntil(60_000);

    rate = MIB;
    const gone = await time.finish(taker(time, bucket, [MIB, MIB]));

    expect(gone.map(({ atMs }) => atMs)).toEqual([60_000, 61_000]);
  });

  it('ends a wait when it is aborted, and the others go on as if it had never been', async () => {
    const time = virtualTime();
    const bucket = bucketOn(time, () => MIB);
    const stop = new AbortController();
    await bucket.take(MIB, never);
    const aborted = thrownBy(bucket.take(100 * MIB, stop.signal));
    const other = taker(time, bucket, [1]);

    stop.abort(new Error('enough'));
    const gone = await time.finish(other);

    expect((await aborted).message).toBe('enough');
    expect(gone[0]?.atMs).toBe(1_000);
    expect(time.sleeping()).toBe(0);
  });

  it('leaves no alarm behind when the last who waits is gone, and takes nothing when it was aborted before', async () => {
    const time = virtualTime();
    const bucket = bucketOn(time, () => MIB);
    const stop = new AbortController();
    await bucket.take(MIB, never);
    const aborted = thrownBy(bucket.take(MIB, stop.signal));
    await time.runUntil(100);

    stop.abort(new Error('enough'));
    await aborted;
    await time.runUntil(200);
    const late = await thrownBy(bucket.take(MIB, stop.signal));

    expect(late.message).toBe('enough');
    expect(time.sleeping()).toBe(0);
  });

  it('fails those who wait when its clock does', async () => {
    const sleep = () => Promise.reject(new Error('no clock'));
    const bucket = createTokenBucket({ monotonicMs: () => 0, sleep, rate: () => 1 });
    await bucket.take(1, never);

    expect((await thrownBy(bucket.take(1, never))).message).toBe('no clock');
  });
});

describe('a bucket that several share', () => {
  it('gives those who want more than there is equal bytes over any time, whatever the size and number of their requests', async () => {
    const jobs = fc.array(
      fc.record({ requestBytes: fc.integer({ min: 4096, max: MIB }), inFlight: fc.integer({ min: 1, max: 8 }) }),
      { minLength: 2, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: MIB, max: 64 * MIB }), jobs, async (perSecond, wants) => {
        const time = virtualTime();
        const shared = sharedOn(time, () => perSecond);
        const gone = wants.map(({ requestBytes, inFlight }) => {
          const mine: Gone[] = [];
          const bucket = shared.join();
          for (let i = 0; i < inFlight; i++) void taker(time, bucket, always(requestBytes), mine);
          return mine;
        });

        await time.runUntil(3_000);

        for (const [from, until] of [
          [0, 3_000],
          [0, 500],
          [700, 1_900],
        ] as const) {
          const given = gone.map((one) => sum(one, from, until));
          const largest = wants.map(({ requestBytes }) => requestBytes).toSorted((a, b) => b - a);
          const slack = (largest[0] ?? 0) + (largest[1] ?? 0);
          expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(slack);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('stays fair to those who come and go at any time: nobody is paid for an absence, or made to pay for one', async () => {
    const presence = fc.array(fc.integer({ min: 50, max: 900 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(presence, { minLength: 1, maxLength: 4 }), async (comers) => {
        const time = virtualTime();
        const shared = sharedOn(time, () => 16 * MIB);
        const steady = [shared.join(), shared.join()].map((bucket) => {
          const mine: Gone[] = [];
          void taker(time, bucket, always(128 * 1024), mine);
          return mine;
        });
        for (const spans of comers) void comeAndGo(time, shared.join(), spans);

        await time.runUntil(4_000);

        for (let from = 0; from < 4_000; from += 500) {
          const [a = 0, b = 0] = steady.map((one) => sum(one, from, from + 500));
          expect(Math.abs(a - b)).toBeLessThanOrEqual(4 * 128 * 1024);
        }
        const share = (16 * MIB * 4) / (2 + comers.length);
        for (const one of steady) expect(sum(one)).toBeGreaterThan(share * 0.95);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves to the others what one with a lower limit of its own does not want', async () => {
    const time = virtualTime();
    const shared = sharedOn(time, () => 30 * MIB);
    const [slow, a, b]: [Gone[], Gone[], Gone[]] = [[], [], []];
    const own = bucketOn(time, () => 2 * MIB);
    const share = shared.join();
    const both: TokenBucket = {
      grainBytes: MIB,
      take: async (bytes, signal) => {
        await own.take(bytes, signal);
        await share.take(bytes, signal);
      },
    };
    void taker(time, both, always(64 * 1024), slow);
    for (const gone of [a, b]) void taker(time, shared.join(), always(256 * 1024), gone);

    await time.runUntil(10_000);

    expect(sum(slow) / (20 * MIB)).toBeCloseTo(1, 1);
    expect(sum(a) / (140 * MIB)).toBeCloseTo(1, 1);
    expect(sum(b) / (140 * MIB)).toBeCloseTo(1, 1);
  });

  it('gives all of it to one who is alone', async () => {
    const time = virtualTime();
    const shared = sharedOn(time, () => 10 * MIB);
    shared.join();
    const gone: Gone[] = [];
    void taker(time, shared.join(), always(MIB), gone);

    await time.runUntil(5_000);

    expect(sum(gone) / (50 * MIB)).toBeCloseTo(1, 1);
  });
});

/** Wants everything for a time, then nothing for a time, in turn. */
const comeAndGo = async (time: VirtualTime, bucket: TokenBucket, spans: readonly number[]): Promise<void> => {
  for (const [i, ms] of spans.entries()) {
    const untilMs = time.nowMs() + ms;
    if (i % 2 === 1) await time.sleep(ms, never);
    else while (time.nowMs() < untilMs) await bucket.take(256 * 1024, never);
  }
};
