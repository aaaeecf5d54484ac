import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { type Copying, copying } from './helpers/copying.ts';
import { flippedBy, rot } from './helpers/faults/bit-flips.ts';
import { flushesLost } from './helpers/faults/lost-flushes.ts';
import { torn } from './helpers/faults/torn-writes.ts';
import { faultyDevice } from './helpers/faulty-device.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { readBack } from './helpers/proof.ts';
import { thrownBy } from './helpers/thrown.ts';

const CHUNKS = 12;
const SIZE_BYTES = CHUNKS * CHUNK_BYTES;
const nths = fc.integer({ min: 1, max: CHUNKS });

const aSource = (): MemoryDevice => {
  const source = memoryDevice(SIZE_BYTES, 0x3c);
  for (let chunk = 0; chunk < CHUNKS; chunk++)
    source.content.fill(chunk + 1, chunk * CHUNK_BYTES, chunk * CHUNK_BYTES + 99);
  return source;
};

/** Goes on from the last checkpoint of a copy that has ended one way or the other. */
const goingOn = (source: BlockDevice, destination: BlockDevice, { checkpoints }: Copying): Copying => {
  const checkpoint = checkpoints.at(-1);
  return copying(source, destination, checkpoint ? { checkpoint } : {});
};

describe('a bit that is another', () => {
  it('after it was sent is found by the read-back, whichever write it was in', async () => {
    await fc.assert(
      fc.asyncProperty(nths, async (nth) => {
        const memory = memoryDevice(SIZE_BYTES);
        const { digest } = await copying(aSource(), flippedBy('write', nth, memory)).copied;

        expect(await readBack(memory)).not.toBe(digest);
      }),
      { numRuns: CHUNKS },
    );
  });

  it('in what is stored already is found by the read-back, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: SIZE_BYTES - 1 }), async (offset) => {
        const memory = memoryDevice(SIZE_BYTES);
        const { digest } = await copying(aSource(), memory).copied;
        const before = await readBack(memory);
        await rot(memory, offset);

        expect(before).toBe(digest);
        expect(await readBack(memory)).not.toBe(digest);
      }),
      { numRuns: 8 },
    );
  });

  it('in the read-back itself is an alarm, and a second look shows that it was false', async () => {
    const memory = memoryDevice(SIZE_BYTES);
    const { digest } = await copying(aSource(), memory).copied;

    expect(await readBack(flippedBy('read', 5, memory))).not.toBe(digest);
    expect(await readBack(memory)).toBe(digest);
  });

  it('in the only read of the source is in both digests: what the source’s storage says is believed', async () => {
    const source = aSource();
    const memory = memoryDevice(SIZE_BYTES);

    const { digest } = await copying(flippedBy('read', 5, source), memory).copied;

    expect(await readBack(memory)).toBe(digest);
    expect(await readBack(source)).not.toBe(digest);
  });
});

describe('a write of which only a part lands', () => {
  it('and that is an error is made whole by the copy that goes on after the crash', async () => {
    await fc.assert(
      fc.asyncProperty(nths, fc.nat({ max: CHUNK_BYTES }), fc.nat({ max: 5 }), async (nth, landedBytes, slowness) => {
        const source = aSource();
        const memory = memoryDevice(SIZE_BYTES);
        const slow = faultyDevice(memory, { writeTurns: (call) => (call * slowness) % 6 });
        const first = copying(source, torn(slow, { nth, landedBytes, says: 'an error' }));
        const error = await thrownBy(first.copied);

        const after = memory.crashed();
        const { digest } = await goingOn(source, after, first).copied;

        expect(error.name).toBe('IoError');
        expect(await readBack(after)).toBe(digest);
        expect(after.durable().equals(source.content)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('and that is called a success is found by the read-back, unless all of it landed', async () => {
    await fc.assert(
      fc.asyncProperty(nths, fc.integer({ min: 0, max: CHUNK_BYTES - 1 }), async (nth, landedBytes) => {
        const memory = memoryDevice(SIZE_BYTES);

        const { digest } = await copying(aSource(), torn(memory, { nth, landedBytes, says: 'a success' })).copied;

        expect(await readBack(memory)).not.toBe(digest);
      }),
      { numRuns: 10 },
    );
  });
});

describe('a flush that says it is done and is not', () => {
  it('costs a proof at the most: when the digests are equal after a crash, so is the content', async () => {
    let lost = 0;
    await fc.assert(
      fc.asyncProperty(nths, nths, fc.nat({ max: 5 }), async (fromNth, failWrite, slowness) => {
        const source = aSource();
        const memory = memoryDevice(SIZE_BYTES);
        const faulty = faultyDevice(memory, { failWrite, writeTurns: (call) => (call * slowness) % 6 });
        const first = copying(source, flushesLost(faulty, fromNth));
        await thrownBy(first.copied);

        const after = memory.crashed();
        const { digest } = await goingOn(source, after, first).copied;
        const isProven = (await readBack(after)) === digest;

        expect(isProven).toBe(after.content.equals(source.content));
        if (!isProven) lost += 1;
      }),
      { numRuns: 30 },
    );
    expect(lost).toBeGreaterThan(0);
  });

  it('and a crash after the end of the copy is found by the read-back', async () => {
    const memory = memoryDevice(SIZE_BYTES);
    const { digest } = await copying(aSource(), flushesLost(memory, 4)).copied;

    expect(await readBack(memory.crashed())).not.toBe(digest);
  });
});
