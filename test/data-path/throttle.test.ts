import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Gone, worstOfAnyWindow } from '../../bench/windows.ts';
import type { BlockDevice } from '../../domain/block-device.ts';
import { throttled } from '../../host-agent/copy/throttled.ts';
import { createSharedBucket, createTokenBucket } from '../../host-agent/copy/token-bucket.ts';
import { copying } from './helpers/copying.ts';
import { endless } from './helpers/endless.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { thrownBy } from './helpers/thrown.ts';
import { type VirtualTime, virtualTime } from './helpers/virtual-time.ts';

const MIB = 1024 * 1024;
const REQUESTS = 8;
const never = new AbortController().signal;
/** A limit holds from so long after its change on. */
const SETTLED_MS = 2_000;
const STEP_MS = 8_000;

const noting = (time: VirtualTime, gone: Gone[], latencyMs = 0): BlockDevice => ({
  ...endless(Number.MAX_SAFE_INTEGER),
  async write(_offset, source) {
    gone.push({ atMs: time.nowMs(), bytes: source.length });
    if (latencyMs > 0) await time.sleep(latencyMs, never);
  },
});

/** What a copy does to its destination: so many chunks at once, and never an end. */
const writeForEver = (device: BlockDevice): void => {
  const chunk = Buffer.alloc(MIB);
  for (let i = 0; i < REQUESTS; i++)
    void (async () => {
      for (;;) await device.write(0, chunk, never);
    })();
};

const expectEven = (gone: readonly Gone[], rates: readonly (number | null)[]): void => {
  for (const [i, rate] of rates.entries()) {
    if (rate === null) continue;
    const { least, most } = worstOfAnyWindow(gone, rate, [i * STEP_MS + SETTLED_MS, (i + 1) * STEP_MS]);
    expect({ rate, most, even: most <= 1.05 }).toMatchObject({ even: true });
    expect({ rate, least, even: least >= 0.95 }).toMatchObject({ even: true });
  }
};

/** From 64 KiB/s to 1 GiB/s, as many of each order. */
const anyRate = fc.double({ min: 16, max: 30, noNaN: true }).map((exponent) => Math.round(2 ** exponent));

describe('a limit', () => {
  it('is kept within 5 % over any five seconds, from two seconds after any change, up, down or from none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: anyRate }, fc.constant(null)), { minLength: 1, maxLength: 3 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.nat({ max: 3 }),
        async (rates, late, latencyMs) => {
          const time = virtualTime(() => late.next().value);
          const gone: Gone[] = [];
          const rate = () => rates[Math.min(rates.length - 1, Math.floor(time.nowMs() / STEP_MS))] ?? null;
          const bucket = createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate });
          // without a limit it is the destination that sets the pace
          writeForEver(throttled(noting(time, gone, Math.max(1, latencyMs)), [bucket]));

          await time.runUntil(rates.length * STEP_MS);

          expectEven(gone, rates);
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);

  it('is kept by a copy, whose zeroes cost nothing', async () => {
    const time = virtualTime();
    const gone: Gone[] = [];
    const rates = [4 * MIB, 12 * MIB, 2 * MIB];
    const rate = () => rates[Math.min(2, Math.floor(time.nowMs() / STEP_MS))] ?? 0;
    const bucket = createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate });
    const source: BlockDevice = {
      ...endless(4_000 * MIB),
      async *extents(offset, lengthBytes) {
        const data = (3_800 * MIB) as number;
        yield { offset, lengthBytes: data - offset, kind: 'hole' as const };
        yield { offset: data, lengthBytes: offset + lengthBytes - data, kind: 'data' as const };
      },
    };
    const stop = new AbortController();
    const { copied } = copying(source, noting(time, gone), {
      buckets: [bucket],
      monotonicMs: time.nowMs,
      signal: stop.signal,
    });

    await time.runUntil(3 * STEP_MS);
    stop.abort(new Error('seen enough'));
    await thrownBy(copied);

    expect(gone[0]?.atMs).toBe(0);
    expectEven(gone, rates);
  });

  it('of the host is shared by its copies, each within 5 % of its part, however many requests one has in flight', async () => {
    const time = virtualTime();
    const host = createSharedBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate: () => 40 * MIB });
    const own = (rate: number | null) =>
      createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate: () => rate });
    const gone: Gone[][] = [[], [], []];
    for (const [i, limit] of [null, null, 4 * MIB].entries())
      writeForEver(throttled(noting(time, gone[i] ?? [], 2), [own(limit), host.join()]));

    await time.runUntil(STEP_MS);

    for (const [i, part] of [18 * MIB, 18 * MIB, 4 * MIB].entries()) expectEven(gone[i] ?? [], [part]);
  });
});

describe('a device with a limit', () => {
  const limited = (time: VirtualTime, device: BlockDevice, perSecond: number): BlockDevice =>
    throttled(device, [createTokenBucket({ monotonicMs: time.nowMs, sleep: time.sleep, rate: () => perSecond })]);

  it('writes the same bytes, and the first chunk is whole before the second begins', async () => {
    const time = virtualTime();
    const memory = memoryDevice(2 * MIB);
    const order: number[] = [];
    const device = limited(
      time,
      {
        ...memory,
        async write(offset, source, signal) {
          order.push(offset);
          await memory.write(offset, source, signal);
        },
      },
      2 * MIB,
    );
    const chunks = [Buffer.alloc(MIB, 1), Buffer.alloc(MIB, 2)];

    await time.finish(Promise.all(chunks.map((chunk, i) => device.write(i * MIB, chunk))));

    expect(memory.content.equals(Buffer.concat(chunks))).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order.every((offset) => offset % 4096 === 0)).toBe(true);
  });

  it('ends a write whose grain fails with that failure, when nothing of it is under way any more', async () => {
    const time = virtualTime();
    let underWay = 0;
    let nth = 0;
    const device = limited(
      time,
      {
        ...endless(4 * MIB),
        async write() {
          underWay += 1;
          nth += 1;
          const mine = nth;
          await time.sleep(200, never);
          underWay -= 1;
          if (mine === 3) throw new Error('EIO');
        },
      },
      2 * MIB,
    );

    const error = await time.finish(thrownBy(device.write(0, Buffer.alloc(MIB))));

    expect(error.message).toBe('EIO');
    expect(underWay).toBe(0);
    expect(nth).toBeLessThan(10);
  });

  it('stops when it is aborted while it waits: others that wait behind it do not hang', async () => {
    const time = virtualTime();
    const stop = new AbortController();
    const device = limited(time, endless(4 * MIB), 64 * 1024);
    const writes = [0, 1].map((i) => thrownBy(device.write(i * MIB, Buffer.alloc(MIB), stop.signal)));
    await time.runUntil(1_000);

    stop.abort(new Error('cancelled'));
    const errors = await Promise.all(writes);

    expect(errors.map((error) => error.message)).toEqual(['cancelled', 'cancelled']);
    expect(time.sleeping()).toBe(0);
  });
});
