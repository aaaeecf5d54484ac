import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { alignedBuffers } from '../../host-agent/device/aligned.ts';
import { type FileDevice, type FileDeviceOptions, openFileDevice } from '../../host-agent/device/file-device.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

const MIB = 1024 * 1024;

const sparseFile = async (sizeBytes: number): Promise<string> => {
  const path = join(await tempDir(), 'object.img');
  await writeFile(path, '');
  await truncate(path, sizeBytes);
  return path;
};

const opened = async (path: string, options: FileDeviceOptions = { mode: 'rw' }): Promise<FileDevice> => {
  const device = await openFileDevice(path, options);
  onTestFinished(() => device.close());
  return device;
};

const allocatedBytes = async (path: string): Promise<number> => (await stat(path)).blocks * 512;

const readBack = async (device: BlockDevice, offset: number, length: number): Promise<Buffer> => {
  const target = Buffer.alloc(length, 0xee);
  await device.read(offset, target);
  return target;
};

describe('a file as a device', () => {
  it('gives back what was written, at any offset and length, also through a fresh open', async () => {
    const path = await sparseFile(MIB);
    const device = await opened(path);
    const bytes = Buffer.from('not aligned to anything');

    await device.write(12_345, bytes);
    await device.flush();

    const again = await opened(path, { mode: 'ro' });
    expect(await readBack(again, 12_345, bytes.length)).toEqual(bytes);
    expect(await readBack(again, 0, 10)).toEqual(Buffer.alloc(10));
  });

  it('refuses what is outside of its size, and grows never', async () => {
    const path = await sparseFile(8192);
    const device = await opened(path);

    const refused = await Promise.all([
      thrownBy(device.write(8191, Buffer.alloc(2))),
      thrownBy(device.read(8192, Buffer.alloc(1))),
      thrownBy(device.read(-1, Buffer.alloc(1))),
      thrownBy(device.writeZeroes(4096, 4097)),
      thrownBy((async () => Array.fromAsync(device.extents(0, 8193)))()),
    ]);

    expect(refused.map((error) => error.name)).toEqual(Array.from({ length: 5 }, () => 'OutOfRange'));
    expect((await stat(path)).size).toBe(8192);
  });

  it('that was cut behind its back gives a short read, never fewer bytes or old ones', async () => {
    const path = await sparseFile(2 * MIB);
    const device = await opened(path, { mode: 'ro' });
    await truncate(path, MIB + 100);

    const error = await thrownBy(device.read(MIB, Buffer.alloc(4096)));

    expect(error.name).toBe('ShortRead');
    expect(error.message).toContain('3996 bytes are missing');
  });

  it('that is opened to be read cannot be written', async () => {
    const device = await opened(await sparseFile(4096), { mode: 'ro' });

    const error = await thrownBy(device.write(0, Buffer.from('x')));

    expect(error.name).toBe('IoError');
  });

  it('does nothing for a caller that has given up already', async () => {
    const device = await opened(await sparseFile(4096));
    const signal = AbortSignal.abort(new Error('given up'));

    const errors = await Promise.all([
      thrownBy(device.write(0, Buffer.from('x'), signal)),
      thrownBy(device.read(0, Buffer.alloc(1), signal)),
      thrownBy(device.writeZeroes(0, 1, signal)),
      thrownBy(openFileDevice('/nonexistent', { mode: 'ro', signal })),
    ]);

    expect(errors.map((error) => error.message)).toEqual(Array.from({ length: 4 }, () => 'given up'));
    expect(await readBack(device, 0, 1)).toEqual(Buffer.alloc(1));
  });
});

describe('zeroes on a file', () => {
  it('replace exactly the range that was asked for, aligned or not, and give its blocks back', async () => {
    const path = await sparseFile(4 * MIB);
    const device = await opened(path);
    await device.write(0, Buffer.alloc(4 * MIB, 0xa5));
    await device.flush();
    const before = await allocatedBytes(path);

    await device.writeZeroes(MIB - 100, 2 * MIB + 200);
    await device.flush();

    const content = await readBack(device, 0, 4 * MIB);
    const expected = Buffer.alloc(4 * MIB, 0xa5).fill(0, MIB - 100, 3 * MIB + 100);
    expect(content.equals(expected)).toBe(true);
    expect(await allocatedBytes(path)).toBeLessThanOrEqual(before - 2 * MIB + 8192);
  });

  it('leave a file that is thin as thin as it was', async () => {
    const path = await sparseFile(64 * MIB);
    const device = await opened(path);

    await device.writeZeroes(0, 64 * MIB);

    expect(await allocatedBytes(path)).toBe(0);
    expect((await stat(path)).size).toBe(64 * MIB);
  });

  it('of length nothing change nothing', async () => {
    const device = await opened(await sparseFile(4096));
    await device.write(0, Buffer.from('kept'));

    await device.writeZeroes(0, 0);

    expect((await readBack(device, 0, 4)).toString()).toBe('kept');
  });
});

describe('the extents of a sparse file', () => {
  it('name data where data is and holes elsewhere, without gaps, also from the middle', async () => {
    const path = await sparseFile(8 * MIB);
    const device = await opened(path);
    await device.write(MIB, Buffer.alloc(MIB, 1));
    await device.write(5 * MIB, Buffer.alloc(65_536, 2));
    await device.flush();

    const all = await Array.fromAsync(device.extents(0, 8 * MIB));
    const middle = await Array.fromAsync(device.extents(MIB + 4096, MIB));

    expect(all).toEqual([
      { offset: 0, lengthBytes: MIB, kind: 'hole' },
      { offset: MIB, lengthBytes: MIB, kind: 'data' },
      { offset: 2 * MIB, lengthBytes: 3 * MIB, kind: 'hole' },
      { offset: 5 * MIB, lengthBytes: 65_536, kind: 'data' },
      { offset: 5 * MIB + 65_536, lengthBytes: 3 * MIB - 65_536, kind: 'hole' },
    ]);
    expect(middle).toEqual([
      { offset: MIB + 4096, lengthBytes: MIB - 4096, kind: 'data' },
      { offset: 2 * MIB, lengthBytes: 4096, kind: 'hole' },
    ]);
  });

  it('of a file that is one hole are one hole, and of no length are none', async () => {
    const device = await opened(await sparseFile(3 * MIB + 512));

    expect(await Array.fromAsync(device.extents(0, 3 * MIB + 512))).toEqual([
      { offset: 0, lengthBytes: 3 * MIB + 512, kind: 'hole' },
    ]);
    expect(await Array.fromAsync(device.extents(MIB, 0))).toEqual([]);
  });

  it('end with an error when the caller gives up', async () => {
    const device = await opened(await sparseFile(MIB));

    const error = await thrownBy(Array.fromAsync(device.extents(0, MIB, AbortSignal.abort(new Error('given up')))));

    expect(error.message).toBe('given up');
  });
});

describe('direct I/O', () => {
  it('and buffered I/O see the same bytes, the last partial block included', async () => {
    const sizeBytes = 2 * MIB + 1536;
    const path = await sparseFile(sizeBytes);
    const device = await opened(path, { mode: 'rw', direct: true });
    const [first, second] = alignedBuffers(2, MIB) as [Buffer, Buffer];
    first.fill(0x11);
    second.fill(0x22);

    await device.write(0, first);
    await device.write(MIB, second);
    await device.write(2 * MIB, first.subarray(0, 1536));
    await device.flush();

    const buffered = await opened(path, { mode: 'ro' });
    const expected = Buffer.concat([Buffer.alloc(MIB, 0x11), Buffer.alloc(MIB, 0x22), Buffer.alloc(1536, 0x11)]);
    expect((await readBack(buffered, 0, sizeBytes)).equals(expected)).toBe(true);
    const [target] = alignedBuffers(1, MIB) as [Buffer];
    await device.read(MIB, target);
    expect(target.equals(second)).toBe(true);
    await device.read(2 * MIB, target.subarray(0, 1536));
    expect(target.subarray(0, 1536).equals(Buffer.alloc(1536, 0x11))).toBe(true);
  });

  it('takes memory and offsets that are not aligned by way of the cache', async () => {
    const device = await opened(await sparseFile(MIB), { mode: 'rw', direct: true });
    const bytes = Buffer.from('0123456789');

    await device.write(4095, bytes);

    expect(await readBack(device, 4095, 10)).toEqual(bytes);
  });
});

const mountSmall = (path: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'volmove-test', path]).status === 0;

/** Whether this process may mount at all, tried in a namespace of its own so that nothing is left behind. */
const mayMount =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'probe', '/mnt']).status === 0;

describe('a file system without space', () => {
  it.runIf(mayMount)('fails the write with NoSpace (needs root and mount: a tmpfs of 1 MiB)', async () => {
    const directory = join(await tempDir(), 'small');
    await mkdir(directory);
    expect(mountSmall(directory)).toBe(true);
    onTestFinished(() => {
      execFileSync('umount', [directory]);
    });
    const path = join(directory, 'object.img');
    await writeFile(path, '');
    await truncate(path, 4 * MIB);
    const device = await openFileDevice(path, { mode: 'rw' });

    const error = await thrownBy(device.write(0, Buffer.alloc(2 * MIB, 1)));

    expect(error.name).toBe('NoSpace');
    await device.close();
  });
});
