import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { leafReaderOf } from '../../host-agent/copy/copy.ts';
import { createBufferPool } from '../../host-agent/device/buffer-pool.ts';
import { storedLeaves } from '../../host-agent/digest/stored-leaves.ts';
import { nodesDevice } from '../../host-agent/digest/tree-device.ts';
import { CHUNK_BYTES, chunkCount, HASH_BYTES, leafHash } from '../../host-agent/digest/tree-hash.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { copying } from './helpers/copying.ts';
import { deviceWith, layouts } from './helpers/layout.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { naiveDigest } from './helpers/naive-digest.ts';
import { run, withPrograms } from './helpers/peers.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

const buffers = createBufferPool(8, CHUNK_BYTES);
const NEVER = new AbortController().signal;

const leavesIn = (device: MemoryDevice, sizeBytes = device.sizeBytes) =>
  nodesDevice(storedLeaves(device, sizeBytes, buffers), 'leaves');

const readOnlyServer = (device: BlockDevice) =>
  plainServer(device, { resolveExport: async () => ({ device, readOnly: true }) });

const chunkOf = (content: Buffer, chunk: number): Buffer =>
  content.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);

const differingChunks = (a: Buffer, b: Buffer): number[] =>
  Array.from({ length: chunkCount(a.length) }, (_, chunk) => chunk).filter(
    (chunk) => !chunkOf(a, chunk).equals(chunkOf(b, chunk)),
  );

describe('the leaf hashes of what a device holds', () => {
  it('are those of its chunks, at whatever bytes a client reads', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, async (layout) => {
        const device = await deviceWith(layout);
        const chunks = chunkCount(layout.sizeBytes);
        const expected = Buffer.concat(
          Array.from({ length: chunks }, (_, chunk) => leafHash(chunkOf(device.content, chunk))),
        );
        const hashes = leavesIn(device);

        const odd = Buffer.alloc(Math.min(37, expected.length - 5));
        await hashes.read(5, odd);
        const all = Buffer.alloc(hashes.sizeBytes);
        await hashes.read(0, all);

        expect(all.equals(expected)).toBe(true);
        expect(odd.equals(expected.subarray(5, 5 + odd.length))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('of holes are known without a read', async () => {
    const device = memoryDevice(64 * CHUNK_BYTES);
    await device.write(7 * CHUNK_BYTES, Buffer.alloc(10, 1));
    const read: number[] = [];
    const watched: MemoryDevice = {
      ...device,
      async read(offset, target) {
        read.push(offset);
        await device.read(offset, target);
      },
    };

    await leavesIn(watched).read(0, Buffer.alloc(64 * HASH_BYTES));

    expect(read).toEqual([7 * CHUNK_BYTES]);
  });

  it('fail with the device, and can be asked for again', async () => {
    const device = memoryDevice(3 * CHUNK_BYTES, 1);
    let failing = true;
    const sick: MemoryDevice = {
      ...device,
      async read(offset, target) {
        if (failing && offset > 0) throw new Error('the storage is sick');
        await device.read(offset, target);
      },
    };
    const hashes = leavesIn(sick);

    const error = await thrownBy(hashes.read(0, Buffer.alloc(3 * HASH_BYTES)));
    failing = false;
    await hashes.read(0, Buffer.alloc(3 * HASH_BYTES));

    expect(error.message).toBe('the storage is sick');
  });
});

describe('a copy that compares', () => {
  /** A destination that has the source's content but for some bytes, in chunks and in holes. */
  const pairs = layouts.chain((layout) =>
    fc.record({
      layout: fc.constant(layout),
      changes: fc.array(fc.tuple(fc.nat(layout.sizeBytes - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      largerBy: fc.constantFrom(0, 4096),
    }),
  );

  it('leaves equal bytes, writes nothing but chunks that differ, and names each of them', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async ({ layout, changes, largerBy }) => {
        const source = await deviceWith(layout);
        const destination = memoryDevice(layout.sizeBytes + largerBy);
        await destination.write(0, source.content);
        for (const [at, byte] of changes) await destination.write(at, Buffer.of(byte));
        const differing = differingChunks(source.content, destination.content.subarray(0, layout.sizeBytes));
        const written: number[] = [];
        const watched: MemoryDevice = {
          ...destination,
          async write(offset, bytes) {
            written.push(Math.floor(offset / CHUNK_BYTES));
            await destination.write(offset, bytes);
          },
        };
        const named: number[] = [];

        const { copied } = copying(source, watched, {
          destinationIsZero: false,
          destinationLeaves: leafReaderOf(leavesIn(destination, layout.sizeBytes)),
          onDifference(first, count) {
            for (let i = 0; i < count; i++) named.push(first + i);
          },
        });
        const { digest } = await copied;

        expect(digest).toBe(await naiveDigest(source.content));
        expect(destination.content.subarray(0, layout.sizeBytes).equals(source.content)).toBe(true);
        expect(named.toSorted((a, b) => a - b)).toEqual(differing);
        expect(written.filter((chunk) => !differing.includes(chunk))).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('writes no byte to a destination that is equal', async () => {
    const source = memoryDevice(20 * CHUNK_BYTES);
    await source.write(3 * CHUNK_BYTES, Buffer.alloc(5 * CHUNK_BYTES, 7));
    const destination = memoryDevice(20 * CHUNK_BYTES);
    await destination.write(0, source.content);
    const refuse = async (): Promise<never> => {
      throw new Error('nothing may be written');
    };

    const { copied } = copying(
      source,
      { ...destination, write: refuse, writeZeroes: refuse },
      { destinationIsZero: false, destinationLeaves: leafReaderOf(leavesIn(destination)) },
    );

    expect((await copied).bytes).toMatchObject({ read: 5 * CHUNK_BYTES, written: 0 });
  });

  it('asks for the hashes ahead of its reads, a bounded number at once', async () => {
    const sizeBytes = 400 * CHUNK_BYTES;
    const [source, destination] = [memoryDevice(sizeBytes), memoryDevice(sizeBytes)];
    for (const chunk of [0, 399]) await source.write(chunk * CHUNK_BYTES, Buffer.of(1));
    const reader = leafReaderOf(leavesIn(destination));
    const asked: number[] = [];
    let most = 0;

    const { copied } = copying(source, destination, {
      destinationIsZero: false,
      async destinationLeaves(first, count, signal) {
        asked.push(count);
        most = Math.max(most, count);
        return reader(first, count, signal);
      },
    });
    await copied;

    expect(most).toBeLessThanOrEqual(256);
    expect(asked.length).toBeLessThan(20);
    expect(destination.content.equals(source.content)).toBe(true);
  });

  it('fails when the other side cannot read itself, and writes nothing afterwards', async () => {
    const source = memoryDevice(4 * CHUNK_BYTES, 1);

    const { copied } = copying(source, memoryDevice(4 * CHUNK_BYTES), {
      destinationIsZero: false,
      destinationLeaves: () => Promise.reject(new Error('the other side is sick')),
    });

    expect((await thrownBy(copied)).message).toBe('the other side is sick');
  });

  it('takes the hashes from a connection', async () => {
    const [source, destination] = [memoryDevice(9 * CHUNK_BYTES, 1), memoryDevice(9 * CHUNK_BYTES, 1)];
    await source.write(4 * CHUNK_BYTES, Buffer.of(9));
    const server = await readOnlyServer(leavesIn(destination));
    const hashes = await connectNbd({ host: '127.0.0.1', port: portOf(server), exportName: 'there', signal: NEVER });

    const { copied } = copying(source, destination, {
      destinationIsZero: false,
      destinationLeaves: leafReaderOf(hashes),
    });

    expect((await copied).bytes.written).toBe(CHUNK_BYTES);
    expect(destination.content.equals(source.content)).toBe(true);
    await hashes.close();
  });
});

const test = withPrograms('nbdcopy');

describe('the hashes for libnbd', () => {
  test('nbdcopy reads them as it reads any export', async () => {
    const server = await readOnlyServer(leavesIn(memoryDevice(5 * CHUNK_BYTES + 512, 3)));
    const path = join(await tempDir(), 'hashes');

    await run('nbdcopy', `nbd://127.0.0.1:${portOf(server)}/there`, path);

    const hashes = await readFile(path);
    expect(hashes.length).toBe(6 * HASH_BYTES);
    expect(hashes.subarray(0, HASH_BYTES).equals(leafHash(Buffer.alloc(CHUNK_BYTES, 3)))).toBe(true);
  });
});
