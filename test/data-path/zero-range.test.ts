import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { allocatedMib, emptyFile, MIB, opened, readAll } from './helpers/peers.ts';

/** Zeroes on conditions, and discards, on what the kernel gives: a file, and a loop device on a file. */
const LOSETUP = 'losetup';
const losetup = (...args: string[]): string => execFileSync(LOSETUP, args, { encoding: 'utf8' }).trim();
const mayLoop = process.getuid?.() === 0 && spawnSync(LOSETUP, ['--find']).status === 0;

const full = (): Promise<string> => emptyFile(4 * MIB, 0xff);

const ONES = Buffer.alloc(4 * MIB, 0xff);

describe('zeroes on a file', () => {
  it('that may be holes are fast, and give their space back', async () => {
    const path = await full();
    const device = await opened(path, 'rw');

    const made = await device.zeroAs?.(MIB - 5, 2 * MIB + 10, { fast: true, allocated: false });
    await device.flush();

    expect(made).toBe(true);
    expect((await readAll(device)).equals(Buffer.from(ONES).fill(0, MIB - 5, 3 * MIB + 5))).toBe(true);
    expect(await allocatedMib(path)).toBe(2);
  });

  it('that may not be holes take up their space, also where there was a hole', async () => {
    const path = await emptyFile(4 * MIB);
    const device = await opened(path, 'rw');
    await device.write(0, ONES.subarray(0, 2 * MIB));

    await device.zeroAs?.(MIB, 2 * MIB, { fast: false, allocated: true });
    await device.flush();

    expect((await readAll(device)).equals(Buffer.alloc(4 * MIB).fill(0xff, 0, MIB))).toBe(true);
    expect(await allocatedMib(path)).toBe(3);
  });

  it('of length nothing are made at once', async () => {
    const device = await opened(await full(), 'rw');

    expect(await device.zeroAs?.(MIB, 0, { fast: true, allocated: true })).toBe(true);
    expect((await readAll(device)).equals(ONES)).toBe(true);
  });

  it('outside of it are refused, and so is a discard', async () => {
    const device = await opened(await full(), 'rw');

    await expect(device.zeroAs?.(4 * MIB, 1, { fast: true, allocated: false })).rejects.toMatchObject({
      code: 'OutOfRange',
    });
    await expect(device.trim?.(4 * MIB, 1)).rejects.toMatchObject({ code: 'OutOfRange' });
    expect((await stat(await full())).size).toBe(4 * MIB);
  });
});

describe('a discard on a file', () => {
  it('gives space back and leaves everything beside it', async () => {
    const path = await full();
    const device = await opened(path, 'rw');

    await device.trim?.(MIB + 1, 2 * MIB);
    await device.trim?.(0, 0);
    await device.flush();

    const content = await readAll(device);
    expect(content.subarray(0, MIB + 1).equals(ONES.subarray(0, MIB + 1))).toBe(true);
    expect(content.subarray(3 * MIB + 1).equals(ONES.subarray(3 * MIB + 1))).toBe(true);
    expect(await allocatedMib(path)).toBe(2);
  });

  it('that cannot be made is no error', async () => {
    const device = await opened(await full(), 'ro');

    await expect(device.trim?.(0, MIB)).resolves.toBeUndefined();
    expect((await readAll(device)).equals(ONES)).toBe(true);
  });
});

const onLoop = async (): Promise<{ path: string; device: BlockDevice }> => {
  const path = await full();
  const loop = losetup('--find', '--show', path);
  onTestFinished(() => {
    losetup('--detach', loop);
  });
  return { path, device: await opened(loop, 'rw') };
};

describe('a block device (needs root and losetup)', () => {
  const test = it.skipIf(!mayLoop);

  test('is thin where zeroes may be holes, and exact at ends that are no sectors', async () => {
    const { path, device } = await onLoop();

    const made = await device.zeroAs?.(MIB - 5, 2 * MIB + 10, { fast: true, allocated: false });
    await device.flush();

    expect(made).toBe(true);
    const expected = Buffer.from(ONES).fill(0, MIB - 5, 3 * MIB + 5);
    expect((await readAll(device)).equals(expected)).toBe(true);
    expect((await readFile(path)).equals(expected)).toBe(true);
    expect(await allocatedMib(path)).toBe(2);
  });

  test('keeps its space where zeroes may not be holes', async () => {
    const { path, device } = await onLoop();

    const made = await device.zeroAs?.(MIB - 5, 2 * MIB + 10, { fast: false, allocated: true });
    await device.flush();

    expect(made).toBe(true);
    expect((await readAll(device)).equals(Buffer.from(ONES).fill(0, MIB - 5, 3 * MIB + 5))).toBe(true);
    expect(await allocatedMib(path)).toBe(4);
  });

  test('has no fast zeroes that keep the space, or of less than a sector, and stays as it was', async () => {
    const { device } = await onLoop();

    const made = [
      await device.zeroAs?.(0, MIB, { fast: true, allocated: true }),
      await device.zeroAs?.(10, 100, { fast: true, allocated: false }),
    ];

    expect(made).toEqual([false, false]);
    expect((await readAll(device)).equals(ONES)).toBe(true);
  });

  test('discards whole sectors and leaves everything beside them', async () => {
    const { path, device } = await onLoop();

    await device.trim?.(MIB + 1, 2 * MIB);
    await device.trim?.(10, 100);
    await device.flush();

    const content = await readAll(device);
    expect(content.subarray(0, MIB + 512).equals(ONES.subarray(0, MIB + 512))).toBe(true);
    expect(content.subarray(3 * MIB).equals(ONES.subarray(3 * MIB))).toBe(true);
    expect(await allocatedMib(path)).toBe(2);
  });
});
