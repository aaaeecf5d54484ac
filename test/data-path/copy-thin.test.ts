import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { runsOf } from '../../host-agent/copy/zeroes.ts';
import { type FileDevice, openFileDevice } from '../../host-agent/device/file-device.ts';
import { digestDevice } from '../../host-agent/digest/digest-device.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { copying } from './helpers/copying.ts';
import { endless } from './helpers/endless.ts';
import { bytesOfRun, layouts } from './helpers/layout.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { tempDir } from './helpers/temp-dir.ts';

const KIB = 1024;
const TIB = 1024 ** 4;

const digestOf = (device: BlockDevice, sizeBytes: number): Promise<string> =>
  digestDevice({
    device,
    sizeBytes,
    onProgress: () => undefined,
    monotonicMs: () => 0,
    signal: new AbortController().signal,
  });

const dataBytes = async (device: BlockDevice): Promise<number> => {
  let sum = 0;
  for await (const { kind, lengthBytes } of device.extents(0, device.sizeBytes))
    sum += kind === 'data' ? lengthBytes : 0;
  return sum;
};

const contentOf = async (device: BlockDevice): Promise<Buffer> => {
  const content = Buffer.alloc(device.sizeBytes);
  await device.read(0, content);
  return content;
};

const fileOf = async (path: string, sizeBytes: number, fill?: number): Promise<FileDevice> => {
  await writeFile(path, fill === undefined ? '' : Buffer.alloc(sizeBytes, fill));
  await truncate(path, sizeBytes);
  return openFileDevice(path, { mode: 'rw', direct: true });
};

describe('what is thin', () => {
  it('stays thin between files of any layout, also where the destination was full of something else', async () => {
    const directory = await tempDir();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(layouts, fc.boolean(), fc.nat({ max: 100_000 }), async (layout, dirty, tailBytes) => {
        const { sizeBytes, runs } = layout;
        const source = await fileOf(join(directory, `${n++}`), sizeBytes);
        for (const run of runs) await source.write(run.at, bytesOfRun(run));
        const destination = await fileOf(join(directory, `${n++}`), sizeBytes + tailBytes, dirty ? 0xa5 : undefined);

        const { digest } = await copying(source, destination, { destinationIsZero: !dirty }).copied;

        const expected = Buffer.concat([await contentOf(source), Buffer.alloc(tailBytes)]);
        expect((await contentOf(destination)).equals(expected)).toBe(true);
        expect(await digestOf(destination, sizeBytes)).toBe(digest);
        // to the 64 KiB in which zeroes are looked for at both ends of each run, and at the tail
        const allowance = (runs.length + 1) * 2 * 64 * KIB;
        expect(await dataBytes(destination)).toBeLessThanOrEqual((await dataBytes(source)) + allowance);
        await source.close();
        await destination.close();
      }),
      { numRuns: 20 },
    );
  });

  it('stays thin inside of a chunk: only the 64 KiB with data are sent', async () => {
    const source = memoryDevice(4 * CHUNK_BYTES);
    await source.write(CHUNK_BYTES + 100 * KIB, Buffer.from('x'));
    const destination = memoryDevice(4 * CHUNK_BYTES);

    const { bytes } = await copying(source, destination).copied;

    expect(destination.allocatedBlocks()).toBe(16);
    expect(bytes).toEqual({
      size: 4 * CHUNK_BYTES,
      read: CHUNK_BYTES,
      written: 64 * KIB,
      zeroes: 4 * CHUNK_BYTES - 64 * KIB,
      holes: 3 * CHUNK_BYTES,
    });
  });

  it('of 64 TiB without data is settled without a request for each chunk', async () => {
    const { copied, settled } = copying(endless(64 * TIB, 'hole'), endless(64 * TIB));

    expect((await copied).bytes).toMatchObject({ read: 0, written: 0, holes: 64 * TIB });
    expect(settled.length).toBeLessThan(5);
  });

  it('shows progress while a destination that is not zero is made zero', async () => {
    const { copied, settled } = copying(endless(CHUNK_BYTES * 1000, 'hole'), endless(CHUNK_BYTES * 1000), {
      destinationIsZero: false,
    });
    await copied;

    expect(settled.length).toBeGreaterThan(10);
  });
});

describe('the runs of a chunk', () => {
  it('tell zeroes from data in blocks of 64 KiB, up to an odd end', () => {
    const block = 64 * KIB;
    const chunk = Buffer.alloc(5 * block + 10);
    chunk.fill(1, block + 5, block + 6).fill(1, 3 * block - 1, 3 * block);
    chunk[chunk.length - 1] = 1;

    expect(runsOf(chunk)).toEqual([
      { from: 0, end: block, zero: true },
      { from: block, end: 3 * block, zero: false },
      { from: 3 * block, end: 5 * block, zero: true },
      { from: 5 * block, end: 5 * block + 10, zero: false },
    ]);
  });
});
