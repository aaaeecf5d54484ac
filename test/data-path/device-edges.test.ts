import { execFileSync, spawnSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import { DataPathError, flushError, ioError } from '../../host-agent/device/errors.ts';
import { openFileDevice } from '../../host-agent/device/file-device.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

const MIB = 1024 * 1024;

const fileOf = async (sizeBytes: number, fill?: number): Promise<string> => {
  const path = join(await tempDir(), 'object.img');
  await writeFile(path, fill === undefined ? '' : Buffer.alloc(sizeBytes, fill));
  await truncate(path, sizeBytes);
  return path;
};

const extentsOf = (device: BlockDevice): Promise<Extent[]> => Array.fromAsync(device.extents(0, device.sizeBytes));

describe('a file device', () => {
  it('says so when the file system has no direct I/O, and works all the same', async () => {
    const device = await openFileDevice('/proc/version', { mode: 'ro', direct: true });

    expect(device.directIo).toBe(false);
    await device.close();
  });

  it('never takes the errno of one call for that of another beside it', async () => {
    const sparse = await openFileDevice(await fileOf(64 * MIB), { mode: 'ro' });
    const dense = await openFileDevice(await fileOf(MIB, 1), { mode: 'ro' });

    const found = await Promise.all(Array.from({ length: 50 }, (_, i) => extentsOf(i % 2 === 0 ? sparse : dense)));

    for (const [i, extents] of found.entries())
      expect(extents).toEqual([
        { offset: 0, lengthBytes: i % 2 === 0 ? 64 * MIB : MIB, kind: i % 2 === 0 ? 'hole' : 'data' },
      ]);
    await Promise.all([sparse.close(), dense.close()]);
  });

  it('takes no more writes after a flush has failed, and does not flush again', async () => {
    const device = await openFileDevice(await fileOf(MIB), { mode: 'rw' });
    await device.close();

    const first = await thrownBy(device.flush());

    expect(first).toMatchObject({ code: 'FlushFailed' });
    expect(await thrownBy(device.flush())).toBe(first);
    expect(await thrownBy(device.write(0, Buffer.alloc(1)))).toBe(first);
  });

  it('does not begin a write that was aborted while it waited for another', async () => {
    const device = await openFileDevice(await fileOf(2 * MIB), { mode: 'rw' });
    const abort = new AbortController();
    const before = device.write(0, Buffer.alloc(MIB, 1));
    const waits = thrownBy(device.write(MIB, Buffer.alloc(MIB, 2), abort.signal));

    abort.abort();
    await before;

    expect(await waits).toMatchObject({ code: 'Aborted' });
    const there = Buffer.alloc(MIB);
    await device.read(MIB, there);
    expect(there.equals(Buffer.alloc(MIB))).toBe(true);
    await device.close();
  });

  it('is not made of what is neither a file nor a block device', async () => {
    const error = await thrownBy(openFileDevice('/dev/null', { mode: 'rw' }));

    expect(error).toMatchObject({ code: 'IoError', message: expect.stringContaining('neither') });
  });
});

describe('an error of the data path', () => {
  it('has a name for what the operating system says, and a remedy', () => {
    const errors = ['ENOSPC', 'EDQUOT', 'EIO'].map((code) =>
      ioError(Object.assign(new Error(code), { code }), 'writing'),
    );

    expect(errors.map((error) => error.code)).toEqual(['NoSpace', 'NoSpace', 'IoError']);
    for (const error of errors) expect(error.remedy).toMatch(/\w/);
  });

  it('says when it was for want of space that a flush failed', () => {
    const errors = ['ENOSPC', 'EDQUOT', 'EIO'].map((code) =>
      flushError(Object.assign(new Error(code), { code }), 'object.img'),
    );

    expect(errors.map((error) => error.code)).toEqual(['NoSpace', 'NoSpace', 'FlushFailed']);
  });

  it('of an abort without a reason is Aborted', async () => {
    const device = await openFileDevice(await fileOf(MIB), { mode: 'rw' });

    const error = await thrownBy(device.read(0, Buffer.alloc(1), AbortSignal.abort()));

    expect(error).toBeInstanceOf(DataPathError);
    expect(error).toMatchObject({ code: 'Aborted' });
    await device.close();
  });
});

const LOSETUP = 'losetup';
const losetup = (...args: string[]): string => execFileSync(LOSETUP, args, { encoding: 'utf8' }).trim();
const mayLoop = process.getuid?.() === 0 && spawnSync(LOSETUP, ['--find']).status === 0;

describe('a block device', () => {
  it.runIf(mayLoop)(
    'has its size, one extent of data, and zeroes where they are asked for (needs root and losetup)',
    async () => {
      const loop = losetup('--find', '--show', await fileOf(4 * MIB, 0xa5));
      try {
        const device = await openFileDevice(loop, { mode: 'rw', direct: true });

        await device.writeZeroes(100, 2 * MIB + 7);
        await device.writeZeroes(3 * MIB + 10, 20);
        await device.flush();

        const content = Buffer.alloc(device.sizeBytes);
        await device.read(0, content);
        const expected = Buffer.alloc(4 * MIB, 0xa5)
          .fill(0, 100, 2 * MIB + 107)
          .fill(0, 3 * MIB + 10, 3 * MIB + 30);
        expect(content.equals(expected)).toBe(true);
        expect(device.directIo).toBe(true);
        expect(await extentsOf(device)).toEqual([{ offset: 0, lengthBytes: 4 * MIB, kind: 'data' }]);
        await device.close();
      } finally {
        losetup('--detach', loop);
      }
    },
  );
});
