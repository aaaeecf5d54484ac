import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../host-agent/copy/checkpoint.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { copying } from './helpers/copying.ts';
import { faultyDevice } from './helpers/faulty-device.ts';
import { deviceWith, layouts } from './helpers/layout.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { thrownBy } from './helpers/thrown.ts';

const CHUNKS = 12;
const full = () => memoryDevice(CHUNKS * CHUNK_BYTES, 0x3c);
const empty = () => memoryDevice(CHUNKS * CHUNK_BYTES);

describe('checkpoints', () => {
  it('never name a byte that a crash right then would lose, in whatever order the writes are answered', async () => {
    const turns = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(layouts, turns, fc.boolean(), async (layout, writeTurns, destinationIsZero) => {
        const source = await deviceWith(layout);
        const memory = memoryDevice(layout.sizeBytes, destinationIsZero ? undefined : 0xa5);
        const turnsOf = (nth: number): number => writeTurns[nth % writeTurns.length] ?? 0;
        const destination = faultyDevice(memory, { writeTurns: turnsOf, flushTurns: (nth) => 2 * turnsOf(nth) });
        let named = 0;

        await copying(source, destination, {
          destinationIsZero,
          onCheckpoint: async ({ settledBytes }) => {
            const kept = memory.durable().subarray(0, settledBytes);
            expect(kept.equals(source.content.subarray(0, settledBytes))).toBe(true);
            expect(settledBytes).toBeGreaterThan(named);
            named = settledBytes;
          },
        }).copied;

        expect(memory.durable().equals(source.content)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('end with the first flush that fails: the copy fails with FlushFailed and flushes no more', async () => {
    for (const failFlush of [1, 2, 4]) {
      const destination = faultyDevice(empty(), { failFlush });
      const { copied, checkpoints } = copying(full(), destination);

      const error = await thrownBy(copied);

      expect(error.name).toBe('FlushFailed');
      expect(destination.calls.flushes).toBe(failFlush);
      expect(checkpoints.length).toBe(failFlush - 1);
    }
  });

  it('that come while a flush still takes its time wait for it: one at a time, and the copy goes on meanwhile', async () => {
    let flushing = 0;
    let most = 0;
    let writesWhileFlushing = 0;
    const faulty = faultyDevice(empty(), { flushTurns: () => 30, writeTurns: () => 1 });
    const flush = async (): Promise<void> => {
      flushing += 1;
      most = Math.max(most, flushing);
      const before = faulty.calls.writes;
      await faulty.flush();
      writesWhileFlushing += faulty.calls.writes - before;
      flushing -= 1;
    };

    await copying(full(), { ...faulty, flush }).copied;

    expect(most).toBe(1);
    expect(writesWhileFlushing).toBeGreaterThan(0);
  });

  it('whose flush fails late fail the copy all the same, and nothing is under way when it has failed', async () => {
    const destination = faultyDevice(empty(), { failFlush: 1, flushTurns: () => 40, writeTurns: () => 1 });
    const { copied, checkpoints } = copying(full(), destination);

    const error = await thrownBy(copied);

    expect(error.name).toBe('FlushFailed');
    expect(checkpoints).toEqual([]);
    expect(destination.calls).toMatchObject({ flushes: 1, inFlight: 0 });
  });

  it('that cannot be kept fail the copy', async () => {
    const { copied } = copying(full(), empty(), { onCheckpoint: () => Promise.reject(new Error('journal disk full')) });

    expect((await thrownBy(copied)).message).toBe('journal disk full');
  });

  it('a flush that fails at the very end fails a copy that seemed done', async () => {
    const destination = faultyDevice(empty(), { failFlush: 1 });
    const { copied, checkpoints } = copying(full(), destination, { monotonicMs: () => 0 });

    expect((await thrownBy(copied)).name).toBe('FlushFailed');
    expect(checkpoints).toEqual([]);
  });
});

describe('a device that fails', () => {
  it('at the nth read or write fails the copy with that error, and everything under way has ended by then', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('failRead', 'failWrite'),
        fc.integer({ min: 1, max: CHUNKS }),
        fc.nat({ max: 9 }),
        async (fault, nth, slowness) => {
          const source = faultyDevice(full(), fault === 'failRead' ? { failRead: nth } : {});
          const writeTurns = (call: number): number => (call * slowness) % 10;
          const destination = faultyDevice(empty(), {
            writeTurns,
            ...(fault === 'failWrite' ? { failWrite: nth } : {}),
          });

          const error = await thrownBy(copying(source, destination).copied);

          expect(error.name).toBe('IoError');
          expect(error.message).toContain('EIO');
          expect(source.calls.inFlight + destination.calls.inFlight).toBe(0);
          const { writes } = destination.calls;
          for (let turn = 0; turn < 20; turn++) await setImmediate();
          expect(destination.calls.writes).toBe(writes);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('can be gone on with from the last checkpoint, whatever failed, to equal bytes and digest', async () => {
    const straight = await copying(full(), empty()).copied;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: CHUNKS }), fc.nat({ max: 5 }), async (failWrite, slowness) => {
        const source = full();
        const memory = empty();
        const broken = faultyDevice(memory, { failWrite, writeTurns: (nth) => (nth * slowness) % 6 });
        const first = copying(source, broken);
        await thrownBy(first.copied);
        const checkpoint: Checkpoint | undefined = first.checkpoints.at(-1);

        const after = memory.crashed();
        const again = copying(source, after, checkpoint ? { checkpoint } : {});

        expect((await again.copied).digest).toBe(straight.digest);
        expect(after.durable().equals(source.content)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('at zeroing the tail fails the copy', async () => {
    const source = memoryDevice(CHUNK_BYTES, 1);
    const destination = faultyDevice(memoryDevice(2 * CHUNK_BYTES, 0xa5), { failWrite: 2 });

    expect((await thrownBy(copying(source, destination, { destinationIsZero: false }).copied)).name).toBe('IoError');
  });
});

describe('a copy that is stopped', () => {
  it('in the middle ends with the reason, with nothing in flight, and writes nothing afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: CHUNKS - 1 }), fc.nat({ max: 8 }), async (at, slowness) => {
        const stop = new AbortController();
        const destination = faultyDevice(empty(), {
          writeTurns: () => slowness,
          flushTurns: () => 3 * slowness,
          onWrite: (nth) => {
            if (nth === at) stop.abort(new Error('cancelled'));
          },
        });

        const error = await thrownBy(copying(full(), destination, { signal: stop.signal }).copied);

        expect(error.message).toBe('cancelled');
        expect(destination.calls.inFlight).toBe(0);
        const { writes } = destination.calls;
        for (let turn = 0; turn < 20; turn++) await setImmediate();
        expect(destination.calls.writes).toBe(writes);
      }),
      { numRuns: 20 },
    );
  });

  it('before it began touches nothing', async () => {
    const destination = faultyDevice(empty(), {});

    const { copied } = copying(full(), destination, { signal: AbortSignal.abort(new Error('never mind')) });

    expect((await thrownBy(copied)).message).toBe('never mind');
    expect(destination.calls).toMatchObject({ reads: 0, writes: 0, flushes: 0 });
  });

  it('by a pause holds its breath: no write begins until it may go on', async () => {
    let goOn: () => void = () => undefined;
    const paused = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let asked = 0;
    const destination = faultyDevice(empty(), {});
    const { copied } = copying(full(), destination, { whilePaused: () => (++asked > 3 ? paused : Promise.resolve()) });
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    const whilePaused = destination.calls.writes;

    goOn();
    await copied;

    expect(whilePaused).toBe(3);
    expect(destination.calls.writes).toBe(CHUNKS);
  });
});

describe('the window', () => {
  it('bounds the requests that are in flight, and is used whole', async () => {
    const destination = faultyDevice(empty(), { writeTurns: () => 5 });

    await copying(full(), destination, { monotonicMs: () => 0 }).copied;

    expect(destination.calls.most).toBe(8);
  });
});
