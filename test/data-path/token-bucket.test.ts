import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '../../host-agent/copy/token-bucket.ts';
import { thrownBy } from './helpers/thrown.ts';
import { until } from './helpers/until.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

/** Sleepers in order of their alarm; time goes on only when everybody sleeps. */
const virtualTime = () => {
  let nowMs = 0;
  let sleepers: { atMs: number; wake: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    sleeping: () => sleepers.length,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((wake, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        sleepers.push({ atMs: nowMs + ms, wake });
      }),
    wakeNext() {
      nowMs = Math.min(...sleepers.map((s) => s.atMs));
      const due = sleepers.filter((s) => s.atMs <= nowMs);
      sleepers = sleepers.filter((s) => s.atMs > nowMs);
      for (const { wake } of due) wake();
    },
  };
};

type Time = ReturnType<typeof virtualTime>;

const bucketOn = (time: Time, rate: () => number | null) =>
  createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate });

interface Grant {
  readonly atMs: number;
  readonly bytes: number;
}

/** Takers that each send their requests one after the other; returns what passed, and when. */
const run = async (time: Time, rate: () => number | null, takers: readonly (readonly number[])[]): Promise<Grant[]> => {
  const bucket = bucketOn(time, rate);
  const grants: Grant[] = [];
  let left = takers.length;
  const all = takers.map(async (requests) => {
    for (const bytes of requests) {
      await bucket.take(bytes, never);
      grants.push({ atMs: time.nowMs(), bytes });
    }
    left -= 1;
  });
  while (left > 0) {
    await until('everybody sleeps or is done', () => time.sleeping() === left);
    if (left > 0) time.wakeNext();
  }
  await Promise.all(all);
  return grants;
};

describe('a token bucket', () => {
  it('lets through no more than its rate over any window, beyond one burst and one request', async () => {
    const requests = fc.array(fc.integer({ min: 1, max: MIB }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: MIB, max: 50 * MIB }),
        fc.array(requests, { minLength: 1, maxLength: 8 }),
        async (perSecond, takers) => {
          const grants = await run(virtualTime(), () => perSecond, takers);

          const burst = Math.max(MIB, perSecond / 4);
          const largest = Math.max(...takers.flat());
          for (let i = 0; i < grants.length; i++) {
            let sum = 0;
            for (let j = i; j < grants.length; j++) {
              const [from, to] = [grants[i] as Grant, grants[j] as Grant];
              sum += to.bytes;
              expect(sum).toBeLessThanOrEqual(burst + largest + ((to.atMs - from.atMs) / 1000) * perSecond + 1);
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('comes to its rate in the long run: ten seconds of work take about ten seconds', async () => {
    const time = virtualTime();

    await run(time, () => 4 * MIB, [Array.from({ length: 40 }, () => MIB)]);

    expect(time.nowMs()).toBeGreaterThan(9_000);
    expect(time.nowMs()).toBeLessThan(10_500);
  });

  it('lets everything through at once without a limit', async () => {
    const time = virtualTime();

    await run(time, () => null, [[MIB, MIB, MIB]]);

    expect(time.nowMs()).toBe(0);
  });

  it('lets a request that is larger than a burst through, and makes the next ones pay for it', async () => {
    const time = virtualTime();

    const grants = await run(time, () => MIB, [[8 * MIB, 1]]);

    expect(grants[0]?.atMs).toBeLessThanOrEqual(250);
    expect(grants[1]?.atMs).toBeGreaterThanOrEqual(8_000);
  });

  it('takes a new rate within a quarter of a second, also while somebody waits', async () => {
    const time = virtualTime();
    let rate: number | null = 1024;
    const bucket = bucketOn(time, () => rate);
    const first = bucket.take(MIB, never);
    time.wakeNext();
    await first;
    let through = false;
    const waiting = bucket.take(MIB, never).then(() => {
      through = true;
    });
    for (let i = 0; i < 4; i++) {
      await until('it sleeps', () => time.sleeping() === 1);
      time.wakeNext();
    }
    const throughBefore = through;

    await until('it sleeps', () => time.sleeping() === 1);
    const changedAt = time.nowMs();
    rate = null;
    time.wakeNext();
    await waiting;

    expect(throughBefore).toBe(false);
    expect(time.nowMs() - changedAt).toBeLessThanOrEqual(250);
  });

  it('ends a wait when it is aborted', async () => {
    const time = virtualTime();
    const stop = new AbortController();
    const waiting = bucketOn(time, () => 1).take(1, stop.signal);

    stop.abort(new Error('enough'));

    expect((await thrownBy(waiting)).message).toBe('enough');
  });
});
