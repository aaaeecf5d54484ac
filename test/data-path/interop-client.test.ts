import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { copying } from './helpers/copying.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import {
  contentOf,
  emptyFile,
  extentsOf,
  freePort,
  MIB,
  reached,
  readAll,
  run,
  started,
  VOLUME_EXTENTS,
  volumeFile,
  withPrograms,
} from './helpers/peers.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

/** Our client at servers that others wrote. */
const unixSocket = async (): Promise<string> => join(await tempDir(), 'nbd.sock');

const another = async () => {
  const source = memoryDevice(5 * MIB);
  await source.write(3 * MIB + 5, Buffer.alloc(MIB, 'other'));
  return source;
};

describe('our client at qemu-nbd', () => {
  const test = withPrograms('qemu-nbd', 'qemu-img');

  const qemuNbd = async (path: string, format: string) => {
    const socket = await unixSocket();
    started('qemu-nbd', '--persistent', '--socket', socket, '--format', format, '--export-name', 'there', path);
    return reached({ path: socket, exportName: 'there' });
  };

  test('reads a raw file with its holes over a unix socket, and copies another volume over it', async () => {
    const { path, content } = await volumeFile();
    const remote = await qemuNbd(path, 'raw');
    const source = await another();

    const before = await readAll(remote);
    const extents = await extentsOf(remote);
    await copying(source, remote, { destinationIsZero: false }).copied;

    expect(before.equals(content)).toBe(true);
    expect(extents).toEqual(VOLUME_EXTENTS);
    expect((await readAll(remote)).equals(source.content)).toBe(true);
    expect((await contentOf(path)).equals(source.content)).toBe(true);
  });

  test('reads a qcow2 image with its holes, and copies another volume over it', async () => {
    const { path, content } = await volumeFile();
    const image = `${path}.qcow2`;
    await run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', path, image);
    const remote = await qemuNbd(image, 'qcow2');
    const source = await another();

    const before = await readAll(remote);
    const extents = await extentsOf(remote);
    await copying(source, remote, { destinationIsZero: false }).copied;
    await remote.close();
    await run('qemu-img', 'convert', '-U', '-f', 'qcow2', '-O', 'raw', image, `${path}.back`);

    expect(before.equals(content)).toBe(true);
    expect(extents).toEqual(VOLUME_EXTENTS);
    expect((await contentOf(`${path}.back`)).equals(source.content)).toBe(true);
  });

  test('discards, and makes zeroes that are holes, that are not, and that are fast', async () => {
    const path = await emptyFile(4 * MIB, 0xff);
    const remote = await qemuNbd(path, 'raw');

    await remote.trim?.(0, MIB);
    const fast = await remote.zeroAs?.(MIB, MIB, { fast: true, allocated: false });
    const allocated = await remote.zeroAs?.(2 * MIB, MIB, { fast: false, allocated: true });
    await remote.writeZeroes(3 * MIB + 7, 100);

    expect([fast, allocated]).toEqual([true, true]);
    expect(remote.trim).toBeDefined();
    const expected = Buffer.alloc(4 * MIB, 0xff)
      .fill(0, MIB, 3 * MIB)
      .fill(0, 3 * MIB + 7, 3 * MIB + 107);
    expect((await readAll(remote)).subarray(MIB).equals(expected.subarray(MIB))).toBe(true);
  });

  test('is told what is missing when the export is not there', async () => {
    const socket = await unixSocket();
    started('qemu-nbd', '--persistent', '--socket', socket, '-f', 'raw', '-x', 'there', await emptyFile(MIB));

    const error = await thrownBy(reached({ path: socket, exportName: 'elsewhere' }));

    expect(error).toMatchObject({ code: 'ExportNotOpen' });
  });
});

describe('our client at nbdkit', () => {
  const test = withPrograms('nbdkit');

  const nbdkit = async (...args: string[]) => {
    const socket = await unixSocket();
    started('nbdkit', '--foreground', '--exit-with-parent', '--unix', socket, ...args);
    return reached({ path: socket, exportName: '' });
  };

  test('finds an empty memory disk to be one hole, and keeps what it writes', async () => {
    const remote = await nbdkit('memory', '1T');
    const bytes = Buffer.alloc(100_000, 'abc');

    const before = await extentsOf(remote);
    await remote.write(2 ** 39 + 1, bytes);
    await remote.flush();

    expect(before).toEqual([{ offset: 0, lengthBytes: 2 ** 40, kind: 'hole' }]);
    const target = Buffer.alloc(100_002);
    await remote.read(2 ** 39, target);
    expect(target.equals(Buffer.concat([Buffer.alloc(1), bytes, Buffer.alloc(1)]))).toBe(true);
    const data = (await extentsOf(remote)).filter(({ kind }) => kind === 'data');
    expect(data).toEqual([{ offset: 2 ** 39, lengthBytes: 131_072, kind: 'data' }]);
  });

  test('reads a file with its holes over TCP, and copies another volume over it', async () => {
    const { path, content } = await volumeFile();
    const port = await freePort();
    started('nbdkit', '--foreground', '--exit-with-parent', '-i', '127.0.0.1', '-p', `${port}`, 'file', path);
    const remote = await reached({ host: '127.0.0.1', port, exportName: '' });
    const source = await another();

    const before = await readAll(remote);
    const extents = await extentsOf(remote);
    await copying(source, remote, { destinationIsZero: false }).copied;

    expect(before.equals(content)).toBe(true);
    expect(extents).toEqual(VOLUME_EXTENTS);
    expect((await contentOf(path)).equals(source.content)).toBe(true);
  });

  test('copies a disk of random data and holes, and all of it is there', async () => {
    const remote = await nbdkit('sparse-random', 'size=64M', 'seed=7', 'percent=20');
    const destination = memoryDevice(64 * MIB);

    await copying(remote, destination).copied;

    expect(destination.content.equals(await readAll(remote))).toBe(true);
    const data = (await extentsOf(remote)).reduce((sum, one) => sum + (one.kind === 'data' ? one.lengthBytes : 0), 0);
    expect(data).toBeGreaterThan(0);
    expect(data).toBeLessThan(32 * MIB);
  });

  test('believes in no holes where the server tells of none', async () => {
    const remote = await nbdkit('--filter=noextents', 'memory', '8M');

    expect(await extentsOf(remote)).toEqual([{ offset: 0, lengthBytes: 8 * MIB, kind: 'data' }]);
  });

  test('stays with simple replies for a server that has no others', async () => {
    const { path, content } = await volumeFile();
    const remote = await nbdkit('--no-sr', 'file', path);

    expect((await readAll(remote)).equals(content)).toBe(true);
    expect(await extentsOf(remote)).toEqual([{ offset: 0, lengthBytes: 5 * MIB, kind: 'data' }]);
  });

  test('writes zeroes out where the server cannot make them', async () => {
    const remote = await nbdkit('--filter=nozero', 'memory', '8M', 'zeromode=none');
    await remote.write(0, Buffer.alloc(2 * MIB, 1));

    await remote.writeZeroes(100, MIB);

    const expected = Buffer.alloc(8 * MIB)
      .fill(1, 0, 2 * MIB)
      .fill(0, 100, MIB + 100);
    expect((await readAll(remote)).equals(expected)).toBe(true);
    expect(await remote.zeroAs?.(0, 1, { fast: true, allocated: false })).toBe(false);
  });

  test('hears of each failed request by itself, and goes on', async () => {
    const remote = await nbdkit('--filter=error', 'memory', '1M', 'error=EIO', 'error-pwrite-rate=100%');

    const error = await thrownBy(remote.write(0, Buffer.from('x')));
    await remote.read(0, Buffer.alloc(1));

    expect(error).toMatchObject({ code: 'IoError' });
  });

  test('hears of a failed read and of failed extents', async () => {
    const rates = ['error-pread-rate=100%', 'error-extents-rate=100%'];
    const remote = await nbdkit('--filter=error', 'memory', '1M', 'error=EIO', ...rates);

    const errors = [await thrownBy(remote.read(0, Buffer.alloc(4096))), await thrownBy(extentsOf(remote))];
    await remote.write(0, Buffer.from('x'));

    for (const error of errors) expect(error).toMatchObject({ code: 'IoError' });
  });

  test('takes answers that are late and out of order', async () => {
    const { path, content } = await volumeFile();
    const remote = await nbdkit('--filter=delay', 'file', path, 'delay-read=20ms', 'delay-write=5ms');

    const parts = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const part = Buffer.alloc(MIB / 8);
        const at = i * part.length;
        if (i % 4 === 0) await remote.write(at, content.subarray(at, at + part.length));
        await remote.read(at, part);
        return part;
      }),
    );

    expect(Buffer.concat(parts).equals(content)).toBe(true);
  });
});
