import { describe, expect } from 'vitest';
import { memoryDevice } from './helpers/memory-device.ts';
import { allocatedMib, contentOf, emptyFile, MIB, opened, run, volumeFile, withPrograms } from './helpers/peers.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { thrownBy } from './helpers/thrown.ts';

/** qemu-img and qemu-io as clients of our server, which serves a file. */
const test = withPrograms('qemu-img', 'qemu-io');

const exportOf = async (path: string, readOnly = false): Promise<string> => {
  const device = await opened(path, readOnly ? 'ro' : 'rw');
  const server = await plainServer(device, { resolveExport: async () => ({ device, readOnly }) });
  return `nbd://127.0.0.1:${portOf(server)}/there`;
};

describe('our server for qemu', () => {
  test('qemu-img info finds a raw image of its size', async () => {
    const uri = await exportOf((await volumeFile()).path);

    const info = JSON.parse(await run('qemu-img', 'info', '--output=json', uri)) as Record<string, unknown>;

    expect(info).toMatchObject({ format: 'raw', 'virtual-size': 5 * MIB });
  });

  test('qemu-img map shows our holes', async () => {
    const uri = await exportOf((await volumeFile()).path);

    const map = JSON.parse(await run('qemu-img', 'map', '--output=json', uri)) as Record<string, unknown>[];

    expect(map.map(({ start, length, zero, data }) => ({ start, length, zero, data }))).toEqual([
      { start: 0, length: MIB, zero: true, data: false },
      { start: MIB, length: MIB, zero: false, data: true },
      { start: 2 * MIB, length: MIB, zero: true, data: false },
      { start: 3 * MIB, length: 65_536, zero: false, data: true },
      { start: 3 * MIB + 65_536, length: 2 * MIB - 65_536, zero: true, data: false },
    ]);
  });

  test('qemu-img convert reads a volume out, and it stays thin', async () => {
    const { path, content } = await volumeFile();
    const out = `${path}.out`;

    await run('qemu-img', 'convert', '-O', 'raw', await exportOf(path, true), out);

    expect((await contentOf(out)).equals(content)).toBe(true);
    expect(await allocatedMib(out)).toBe(1);
  });

  test('qemu-img convert writes a volume over what was there, and it becomes thin', async () => {
    const { path, content } = await volumeFile();
    const destination = await emptyFile(5 * MIB, 0xff);

    await run('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', path, await exportOf(destination));

    expect((await contentOf(destination)).equals(content)).toBe(true);
    expect(await allocatedMib(destination)).toBe(1);
  });

  test('qemu-img convert writes zeroes where the device has no faster way, and flushes', async () => {
    const { path, content } = await volumeFile();
    const device = memoryDevice(5 * MIB, 0xff);
    const server = await plainServer(device);

    await run('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', path, `nbd://127.0.0.1:${portOf(server)}/there`);

    expect(device.durable().equals(content)).toBe(true);
  });

  test('qemu-img compare finds what is the same the same, and one bit that differs', async () => {
    const { path, content } = await volumeFile();
    const uri = await exportOf(path, true);
    const other = await emptyFile(5 * MIB);
    const device = await opened(other, 'rw');
    await device.write(0, content);
    const same = await run('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', other, uri);

    await device.write(3 * MIB, Buffer.from([content.readUInt8(3 * MIB) ^ 1]));
    const differs = await thrownBy(run('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', other, uri));

    expect(same).toContain('identical');
    expect(differs).toMatchObject({ stdout: expect.stringContaining(`mismatch at offset ${3 * MIB}`) });
  });

  test('qemu-io discards, zeroes with and without holes, and writes through', async () => {
    const path = await emptyFile(5 * MIB, 0xff);
    const commands = ['discard 0 1M', 'write -z -u 1M 1M', 'write -z 2M 1M', 'write -f -P 7 3M 64k', 'flush'];

    await run('qemu-io', '-f', 'raw', ...commands.flatMap((command) => ['-c', command]), await exportOf(path));

    const content = await contentOf(path);
    const expected = Buffer.alloc(5 * MIB, 0xff)
      .fill(0, MIB, 3 * MIB)
      .fill(7, 3 * MIB, 3 * MIB + 65_536);
    expect(content.subarray(MIB).equals(expected.subarray(MIB))).toBe(true);
    // what was discarded and what may be a hole; what may not be one is still there
    expect(await allocatedMib(path)).toBe(3);
  });

  test('a read-only export is not written', async () => {
    const { path, content } = await volumeFile();

    await thrownBy(run('qemu-io', '-f', 'raw', '-c', 'write 0 4k', await exportOf(path, true)));

    expect((await contentOf(path)).equals(content)).toBe(true);
  });
});
