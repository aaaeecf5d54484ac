import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isZero } from '../../host-agent/copy/chunks.ts';
import { chunkCount, chunkLength, createDigest, type Digest } from '../../host-agent/digest/digest.ts';
import { digestDevice } from '../../host-agent/digest/digest-device.ts';
import { CHUNK_BYTES, leafHash } from '../../host-agent/digest/tree-hash.ts';
import { deviceWith, layouts } from './helpers/layout.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { naiveDigest } from './helpers/naive-digest.ts';
import { thrownBy } from './helpers/thrown.ts';

const TIB = 1024 ** 4;

/** Chunk `i` as a leaf; a real chunk is not needed where only the tree matters. */
const leaf = (i: number): Buffer => leafHash(Buffer.from(`chunk ${i}`));

/** Feeds chunks [from, to) of a volume whose chunk i is of zeroes where `zero[i]` is set. */
const feed = (digest: Digest, zero: readonly boolean[], from: number, to: number): void => {
  for (let i = from; i < to; ) {
    let run = i;
    while (run < to && zero[run]) run++;
    if (run > i) digest.zeroes(run - i);
    else digest.chunk(leaf(run++));
    i = run;
  }
};

const pattern = fc.array(fc.boolean(), { minLength: 1, maxLength: 200 });

const progressless = { onProgress: () => undefined, monotonicMs: () => 0, signal: new AbortController().signal };

describe('the digest of a volume', () => {
  it('equals the recursive definition, computed by another BLAKE3, for any mix of data, written zeroes and holes', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, async (layout) => {
        const device = await deviceWith(layout);

        const digest = await digestDevice({ device, sizeBytes: layout.sizeBytes, ...progressless });

        expect(digest).toBe(await naiveDigest(device.content));
      }),
      { numRuns: 25 },
    );
  });

  it('covers the first bytes alone when the device is larger than the volume', async () => {
    const device = memoryDevice(3 * CHUNK_BYTES, 0x5a);
    const sizeBytes = CHUNK_BYTES + 512;

    const digest = await digestDevice({ device, sizeBytes, ...progressless });

    expect(digest).toBe(await naiveDigest(device.content.subarray(0, sizeBytes)));
  });

  it('of nothing at all is that of the size alone', async () => {
    const digest = createDigest(0).finish();

    expect(digest).toBe(await naiveDigest(Buffer.alloc(0)));
  });

  it('differs between volumes of zeroes of different sizes', () => {
    const sizes = [512, CHUNK_BYTES - 512, CHUNK_BYTES, CHUNK_BYTES + 512, 2 * CHUNK_BYTES];

    const digests = sizes.map((sizeBytes) => {
      const digest = createDigest(sizeBytes);
      digest.zeroes(chunkCount(sizeBytes));
      return digest.finish();
    });

    expect(new Set(digests).size).toBe(sizes.length);
  });

  it('does not depend on how a run of zeroes is cut', () => {
    fc.assert(
      fc.property(pattern, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (zero, cuts) => {
        const sizeBytes = zero.length * CHUNK_BYTES;
        const whole = createDigest(sizeBytes);
        feed(whole, zero, 0, zero.length);

        const cut = createDigest(sizeBytes);
        while (cut.chunks < zero.length) {
          const step = Math.min(zero.length - cut.chunks, cuts.next().value as number);
          feed(cut, zero, cut.chunks, cut.chunks + step);
        }

        expect(cut.finish()).toBe(whole.finish());
      }),
    );
  });

  it('of a last chunk that is short and zero is the same whether it is named as zeroes or as a chunk', () => {
    const sizeBytes = 3 * CHUNK_BYTES + 1536;
    const named = createDigest(sizeBytes);
    named.zeroes(4);
    const read = createDigest(sizeBytes);

    for (let i = 0; i < 4; i++) read.chunk(leafHash(Buffer.alloc(chunkLength(sizeBytes, i))));

    expect(read.finish()).toBe(named.finish());
  });

  it('goes on from the state at any chunk as if it had never stopped, also through JSON', () => {
    fc.assert(
      fc.property(pattern, fc.nat({ max: 511 }), fc.nat(), (zero, sectors, at) => {
        const sizeBytes = (zero.length - 1) * CHUNK_BYTES + (sectors + 1) * 512;
        const stop = at % (zero.length + 1);
        const straight = createDigest(sizeBytes);
        feed(straight, zero, 0, zero.length);
        const first = createDigest(sizeBytes);
        feed(first, zero, 0, stop);

        const resumed = createDigest(sizeBytes, JSON.parse(JSON.stringify(first.state())));
        feed(resumed, zero, stop, zero.length);

        expect(resumed.finish()).toBe(straight.finish());
      }),
    );
  });

  it('of 64 TiB of holes takes a moment, and its state at any point has 48 hashes at the most', () => {
    const sizeBytes = 64 * TIB;
    const digest = createDigest(sizeBytes);

    digest.zeroes(chunkCount(sizeBytes) - 1);

    expect(digest.state().frontier.length).toBeLessThanOrEqual(48);
    digest.zeroes(1);
    expect(digest.finish()).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a digest refuses', () => {
  it('more chunks than the volume has', () => {
    const digest = createDigest(2 * CHUNK_BYTES);
    digest.zeroes(2);

    expect(() => digest.chunk(leaf(2))).toThrow(expect.objectContaining({ code: 'OutOfRange' }));
    expect(() => digest.zeroes(1)).toThrow(expect.objectContaining({ code: 'OutOfRange' }));
  });

  it('to finish while chunks are missing', () => {
    const digest = createDigest(2 * CHUNK_BYTES);
    digest.chunk(leaf(0));

    expect(() => digest.finish()).toThrow('1 of 2 chunks are missing');
  });

  it('the state of another size or format, and one whose hashes do not fit its chunks', () => {
    const state = createDigest(CHUNK_BYTES).state();
    const short = { ...state, chunks: 1 };

    expect(() => createDigest(2 * CHUNK_BYTES, state)).toThrow(expect.objectContaining({ code: 'CheckpointMismatch' }));
    expect(() => createDigest(CHUNK_BYTES, { ...state, format: 'other' as 'volmove-merkle-1' })).toThrow(
      expect.objectContaining({ code: 'CheckpointMismatch' }),
    );
    expect(() => createDigest(CHUNK_BYTES, short)).toThrow(expect.objectContaining({ code: 'CheckpointMismatch' }));
  });

  it('a device that fails a read: the read-back fails with that error', async () => {
    const device = memoryDevice(CHUNK_BYTES, 1);
    const failing = { ...device, read: () => Promise.reject(new Error('medium error')) };

    const error = await thrownBy(digestDevice({ device: failing, sizeBytes: CHUNK_BYTES, ...progressless }));

    expect(error.message).toBe('medium error');
  });
});

describe('a buffer', () => {
  it('is of zeroes exactly when every byte is 0', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), fc.nat(), fc.boolean(), (length, at, dirty) => {
        const bytes = Buffer.alloc(length);
        if (dirty) bytes[at % length] = 1;

        expect(isZero(bytes)).toBe(!dirty);
      }),
    );
  });
});
