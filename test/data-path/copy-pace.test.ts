import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CopyProgress } from '../../host-agent/copy/copy.ts';
import { createInFlight } from '../../host-agent/copy/in-flight.ts';
import { createRate } from '../../host-agent/copy/rate.ts';
import { createTokenBucket } from '../../host-agent/copy/token-bucket.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { createSlots } from '../../host-agent/nbd/slots.ts';
import { copying } from './helpers/copying.ts';
import { endless } from './helpers/endless.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { thrownBy } from './helpers/thrown.ts';
import { deferred, until } from './helpers/until.ts';

const MIB = 1024 * 1024;
const still = () => 0;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await setImmediate();
};

describe('checkpoints', () => {
  it('come before 64 MiB more were read, however little time has gone by, and at the end', async () => {
    const { copied, checkpoints } = copying(endless(330 * MIB), endless(330 * MIB), { monotonicMs: still });
    await copied;

    expect(checkpoints.length).toBeGreaterThanOrEqual(5);
    expect(checkpoints.length).toBeLessThanOrEqual(8);
    expect(checkpoints.at(-1)?.settledBytes).toBe(330 * MIB);
  });

  it('are not made more often because a volume is large and empty', async () => {
    const { copied, checkpoints } = copying(endless(10_000 * MIB, 'hole'), endless(10_000 * MIB), {
      destinationIsZero: false,
      monotonicMs: still,
    });
    await copied;

    expect(checkpoints).toHaveLength(1);
  });

  it('whose flush fails with whatever error fail the copy with FlushFailed', async () => {
    const destination = { ...memoryDevice(MIB), flush: () => Promise.reject(new Error('EIO, says the kernel')) };

    const error = await thrownBy(copying(memoryDevice(MIB, 1), destination).copied);

    expect(error).toMatchObject({ code: 'FlushFailed', message: expect.stringContaining('says the kernel') });
  });
});

describe('a pause', () => {
  it('lets what is under way end, makes it durable, and shows no rate; then the copy goes on', async () => {
    const resumed = deferred();
    const source = memoryDevice(12 * CHUNK_BYTES, 3);
    const destination = memoryDevice(12 * CHUNK_BYTES);
    const progress: CopyProgress[] = [];
    let asked = 0;

    const { copied, checkpoints } = copying(source, destination, {
      monotonicMs: still,
      onProgress: (p) => progress.push(p),
      whilePaused: () => (++asked === 6 ? resumed.promise : Promise.resolve()),
    });
    await until('a checkpoint was made', () => checkpoints.length === 1);
    await turns(20);
    const paused = { durable: destination.durable(), progress: progress.at(-1), checkpoints: checkpoints.length };
    resumed.resolve();
    await copied;

    const settledBytes = 5 * CHUNK_BYTES;
    expect(paused.progress).toMatchObject({ settledBytes, rateBytesPerSecond: 0, activity: 'paused' });
    expect(paused.durable.subarray(0, settledBytes).equals(source.content.subarray(0, settledBytes))).toBe(true);
    expect(paused.checkpoints).toBe(1);
    expect(checkpoints[0]?.settledBytes).toBe(settledBytes);
    expect(destination.durable().equals(source.content)).toBe(true);
  });
});

describe('the end of a larger destination', () => {
  const withTail = (change: Parameters<typeof copying>[2]) => {
    const progress: CopyProgress[] = [];
    const destination = memoryDevice(CHUNK_BYTES + 40 * MIB, 0xa5);
    const { copied } = copying(memoryDevice(CHUNK_BYTES, 3), destination, {
      destinationIsZero: false,
      onProgress: (p) => progress.push(p),
      ...change,
    });
    return { progress, destination, copied };
  };

  it('is zeroed in pieces that show, with a rate of their own; the volume is settled before', async () => {
    const { progress, copied } = withTail({});
    await copied;

    const zeroing = progress.filter((p) => p.activity === 'zeroing');
    expect(zeroing.map((p) => (p.zeroing?.doneBytes ?? 0) / MIB)).toEqual([0, 16, 32, 40]);
    expect(zeroing.every((p) => p.settledBytes === CHUNK_BYTES && p.zeroing?.totalBytes === 40 * MIB)).toBe(true);
    expect(zeroing.at(-1)?.rateBytesPerSecond).toBeGreaterThan(0);
  });

  it('can be paused between its pieces', async () => {
    const resumed = deferred();
    let asked = 0;
    const { progress, destination, copied } = withTail({
      whilePaused: () => (++asked === 3 ? resumed.promise : undefined),
    });
    await until('it is paused', () => progress.at(-1)?.activity === 'paused');
    await turns(20);
    const whilePaused = progress.length;
    resumed.resolve();
    await copied;

    expect(progress.slice(0, whilePaused).findLast((p) => p.zeroing)?.zeroing?.doneBytes).toBe(16 * MIB);
    expect(
      destination
        .durable()
        .subarray(CHUNK_BYTES)
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

describe('one request that hangs', () => {
  it('lets no more others go by than a crash may make the copy do again, and the copy goes on when it is answered', async () => {
    const hang = deferred();
    let begun = 0;
    const source = endless(400 * MIB);
    const slow = {
      ...source,
      async read(offset: number, target: Uint8Array) {
        begun++;
        if (offset === 0) await hang.promise;
        await source.read(offset, target);
      },
    };

    const { copied, settled } = copying(slow, endless(400 * MIB), { monotonicMs: still });
    for (let before = -1; before !== begun; ) {
      before = begun;
      await turns(100);
    }
    const stuck = { begun, settledBytes: settled.at(-1) };
    hang.resolve();
    await copied;

    expect(stuck.settledBytes).toBe(0);
    expect(stuck.begun).toBe(64);
    expect(begun).toBe(400);
  });
});

describe('progress', () => {
  it('counts what was read and written, and a smoothed rate of what is settled', async () => {
    let nowMs = 0;
    const progress: CopyProgress[] = [];

    const { copied } = copying(memoryDevice(10 * MIB, 1), memoryDevice(10 * MIB), {
      monotonicMs: () => (nowMs += 10),
      onProgress: (p) => progress.push(p),
    });
    await copied;

    expect(progress[0]).toEqual({
      settledBytes: 0,
      totalBytes: 10 * MIB,
      bytesRead: 0,
      bytesWritten: 0,
      rateBytesPerSecond: 0,
    });
    expect(progress.at(-1)).toMatchObject({ settledBytes: 10 * MIB, bytesRead: 10 * MIB, bytesWritten: 10 * MIB });
    expect(progress.at(-1)?.rateBytesPerSecond).toBeGreaterThan(0);
  });

  it('has a rate that comes near to what moves, and is 0 while it rests', () => {
    let nowMs = 0;
    let total = 100 * MIB;
    const rate = createRate(() => nowMs);
    rate.add(total);
    const step = (ms: number): number => {
      nowMs += ms;
      total += MIB;
      return rate.add(total);
    };
    let shown = 0;
    for (let i = 0; i < 100; i++) shown = step(200);

    rate.rest();
    const afterAnHour = step(3_600_000);
    const moving = step(200);

    expect(shown / MIB).toBeCloseTo(5);
    expect(afterAnHour).toBe(0);
    expect(moving / MIB).toBeCloseTo(5);
  });
});

describe('a rate', () => {
  it('begins with the average of what has moved, and not with how the first bytes came', () => {
    let nowMs = 0;
    const rate = createRate(() => nowMs);
    rate.add(0);
    let shown = 0;
    for (const [atMs, total] of [
      [50, 4],
      [400, 4],
      [500, 5],
    ] as const) {
      nowMs = atMs;
      shown = rate.add(total * MIB);
    }

    expect(shown / MIB).toBeCloseTo(10, 0);
  });
});

describe('limits', () => {
  it('of 0 and undefined are none', async () => {
    for (const rate of [0, undefined]) {
      const bucket = createTokenBucket({
        monotonicMs: still,
        sleep: () => Promise.reject(new Error('it slept')),
        rate: () => rate,
      });

      for (let i = 0; i < 100; i++) await bucket.take(MIB, new AbortController().signal);
    }
  });

  it('of a connection are by number and by bytes, in the order of asking, and let one giant through alone', async () => {
    const slots = createSlots({ requests: 3, bytes: 100 });
    const entered: string[] = [];
    const seen: string[] = [];
    for (const [name, bytes] of [
      ['a', 60],
      ['b', 60],
      ['giant', 500],
      ['c', 1],
    ] as const)
      void slots.take(bytes).then(() => entered.push(name));

    for (const gives of [undefined, 60, 60, 500]) {
      if (gives !== undefined) slots.give(gives);
      await turns(1);
      seen.push(entered.join(' '));
    }

    expect(seen).toEqual(['a', 'a b', 'a b giant', 'a b giant c']);
  });

  it('of a window hold after a failure: no more is taken in, and what is under way is waited for', async () => {
    const slow = deferred();
    const failure = new Error('EIO');
    const inFlight = createInFlight([Buffer.alloc(1), Buffer.alloc(1)]);
    let slowEnded = false;
    await inFlight.run(async () => {
      await slow.promise;
      slowEnded = true;
    });
    await inFlight.run(() => Promise.reject(failure));
    await turns(1);

    const refused = await thrownBy(inFlight.run(async () => undefined));
    const draining = thrownBy(inFlight.drain()).then((error) => [error, slowEnded]);
    slow.resolve();

    expect(refused).toBe(failure);
    expect(await draining).toEqual([failure, true]);
  });
});
