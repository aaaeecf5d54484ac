import { stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileDevice } from '../../host-agent/device/file-device.ts';
import { digestDevice } from '../../host-agent/digest/digest-device.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { copying } from './helpers/copying.ts';
import { bytesOfRun, deviceWith, layouts } from './helpers/layout.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { naiveDigest } from './helpers/naive-digest.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

const readBackOf = (device: MemoryDevice, sizeBytes: number): Promise<string> =>
  digestDevice({
    device,
    sizeBytes,
    onProgress: () => undefined,
    monotonicMs: () => 0,
    signal: new AbortController().signal,
  });

describe('a copy', () => {
  it('of any sparse volume gives equal bytes, equal digests at both ends, and a destination no thicker than the data', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, async (layout) => {
        const source = await deviceWith(layout);
        const destination = memoryDevice(layout.sizeBytes);

        const { copied, settled } = copying(source, destination);
        const { digest, bytes } = await copied;

        expect(destination.durable().equals(source.content)).toBe(true);
        expect(digest).toBe(await naiveDigest(source.content));
        expect(await readBackOf(destination, layout.sizeBytes)).toBe(digest);
        const dataChunks = [...Array(Math.ceil(layout.sizeBytes / CHUNK_BYTES)).keys()].filter((i) =>
          source.content.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES).some((byte) => byte !== 0),
        );
        expect(destination.allocatedBlocks()).toBeLessThanOrEqual((dataChunks.length * CHUNK_BYTES) / 4096);
        expect(bytes.written + bytes.zeroes).toBe(layout.sizeBytes);
        expect(settled).toEqual(settled.toSorted((a, b) => a - b));
        expect(settled.at(-1)).toBe(layout.sizeBytes);
      }),
      { numRuns: 25 },
    );
  });

  it('to a destination that is not zero leaves nothing of what was there, the tail included', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.nat({ max: 2 * CHUNK_BYTES }), async (layout, tailBytes) => {
        const source = await deviceWith(layout);
        const destination = memoryDevice(layout.sizeBytes + tailBytes, 0xa5);

        const { digest } = await copying(source, destination, { destinationIsZero: false }).copied;

        const expected = Buffer.concat([source.content, Buffer.alloc(tailBytes)]);
        expect(destination.durable().equals(expected)).toBe(true);
        expect(await readBackOf(destination, layout.sizeBytes)).toBe(digest);
      }),
      { numRuns: 25 },
    );
  });

  it('reads no holes and sends no zeroes to a destination that has them', async () => {
    const source = memoryDevice(4 * CHUNK_BYTES);
    await source.write(0, Buffer.alloc(CHUNK_BYTES, 1));
    await source.write(CHUNK_BYTES, Buffer.alloc(CHUNK_BYTES, 0));
    const destination = memoryDevice(4 * CHUNK_BYTES);

    const { bytes } = await copying(source, destination).copied;

    expect(bytes).toMatchObject({ read: 2 * CHUNK_BYTES, written: CHUNK_BYTES, zeroes: 3 * CHUNK_BYTES });
    expect(destination.allocatedBlocks()).toBe(CHUNK_BYTES / 4096);
  });

  it('that is resumed from any of its checkpoints ends with the same bytes and the same digest', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.boolean(), async (layout, destinationIsZero) => {
        const fill = destinationIsZero ? undefined : 0xa5;
        const source = await deviceWith(layout);
        const straight = memoryDevice(layout.sizeBytes, fill);
        const survivors: MemoryDevice[] = [];
        const first = copying(source, straight, {
          destinationIsZero,
          onCheckpoint: async (checkpoint) => {
            first.checkpoints.push(JSON.parse(JSON.stringify(checkpoint)));
            survivors.push(straight.crashed());
          },
        });
        const { digest } = await first.copied;

        for (const [i, checkpoint] of first.checkpoints.entries()) {
          const destination = survivors[i] as MemoryDevice;
          const again = copying(source, destination, { destinationIsZero, checkpoint });

          expect((await again.copied).digest).toBe(digest);
          expect(destination.durable().equals(source.content)).toBe(true);
          expect(again.settled[0]).toBe(checkpoint.settledBytes);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('reads nothing below the checkpoint that it goes on from', async () => {
    const source = memoryDevice(6 * CHUNK_BYTES, 7);
    const destination = memoryDevice(6 * CHUNK_BYTES);
    const first = copying(source, destination);
    await first.copied;
    const checkpoint = first.checkpoints[0];
    if (!checkpoint) throw new Error('no checkpoint was made');

    const { bytes } = await copying(source, destination, { checkpoint }).copied;

    expect(bytes.read).toBe(6 * CHUNK_BYTES - checkpoint.settledBytes);
  });

  it('refuses a destination or a source that is too small, and a checkpoint of another size, before it writes', async () => {
    const source = memoryDevice(2 * CHUNK_BYTES, 1);
    const small = memoryDevice(2 * CHUNK_BYTES - 512);
    const destination = memoryDevice(2 * CHUNK_BYTES);
    const foreign = {
      settledBytes: 0,
      digest: { format: 'volmove-merkle-1', sizeBytes: 1, chunks: 0, frontier: [] },
    } as const;

    const errors = await Promise.all([
      thrownBy(copying(source, small).copied),
      thrownBy(copying(source, destination, { sizeBytes: 3 * CHUNK_BYTES }).copied),
      thrownBy(copying(source, destination, { checkpoint: foreign }).copied),
    ]);

    expect(errors.map((e) => e.name)).toEqual(['DestinationTooSmall', 'ShortRead', 'CheckpointMismatch']);
    expect(small.allocatedBlocks() + destination.allocatedBlocks()).toBe(0);
  });

  it('asks its buckets for what it sends, and for nothing else', async () => {
    const source = memoryDevice(3 * CHUNK_BYTES + 512);
    await source.write(CHUNK_BYTES, Buffer.alloc(1, 1));
    await source.write(3 * CHUNK_BYTES, Buffer.alloc(512, 1));
    const taken: number[] = [];
    const bucket = {
      grainBytes: CHUNK_BYTES,
      take: async (bytes: number) => {
        taken.push(bytes);
      },
    };

    await copying(source, memoryDevice(3 * CHUNK_BYTES + 512), { buckets: [bucket] }).copied;

    expect(taken.toSorted((a, b) => b - a)).toEqual([64 * 1024, 512]);
  });
});

describe('a copy between files', () => {
  it('keeps what is thin thin and gives equal digests, with direct I/O and a tail that is no whole block', async () => {
    const directory = await tempDir();
    const [from, to] = [join(directory, 'from.img'), join(directory, 'to.img')];
    const sizeBytes = 9 * CHUNK_BYTES + 1536;
    for (const path of [from, to]) {
      await writeFile(path, '');
      await truncate(path, sizeBytes);
    }
    const source = await openFileDevice(from, { mode: 'rw', direct: true });
    const destination = await openFileDevice(to, { mode: 'rw', direct: true });
    onTestFinished(async () => {
      await source.close();
      await destination.close();
    });
    for (const run of [
      { at: 2 * CHUNK_BYTES + 100, lengthBytes: CHUNK_BYTES, byte: 3 },
      { at: sizeBytes - 700, lengthBytes: 700, byte: 4 },
    ])
      await source.write(run.at, bytesOfRun(run));

    const { digest } = await copying(source, destination).copied;

    const content = Buffer.alloc(sizeBytes);
    await destination.read(0, content);
    expect(digest).toBe(await naiveDigest(content));
    const original = Buffer.alloc(sizeBytes);
    await source.read(0, original);
    expect(content.equals(original)).toBe(true);
    expect((await stat(to)).blocks * 512).toBeLessThanOrEqual(4 * CHUNK_BYTES);
  });
});
