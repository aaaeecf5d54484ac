import { describe, expect } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { allocatedMib, contentOf, emptyFile, MIB, opened, run, volumeFile, withPrograms } from './helpers/peers.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { thrownBy } from './helpers/thrown.ts';

/** nbdinfo and nbdcopy as clients of our server. */
const test = withPrograms('nbdinfo', 'nbdcopy');

const exportOf = async (device: BlockDevice): Promise<string> =>
  `nbd://127.0.0.1:${portOf(await plainServer(device))}/there`;

const exportOfFile = async (path: string): Promise<string> => exportOf(await opened(path, 'rw'));

describe('our server for libnbd', () => {
  test('nbdinfo is told everything that we can do', async () => {
    const { path } = await volumeFile();

    const info = JSON.parse(await run('nbdinfo', '--json', await exportOfFile(path))) as Record<string, unknown>;

    expect(info).toMatchObject({ protocol: 'newstyle-fixed', TLS: false, structured: true });
    expect(info.exports).toMatchObject([
      {
        'export-name': 'there',
        'export-size': 5 * MIB,
        contexts: ['base:allocation'],
        is_read_only: false,
        can_cache: false,
        can_df: true,
        can_fast_zero: true,
        can_flush: true,
        can_fua: true,
        can_multi_conn: true,
        can_trim: true,
        can_zero: true,
        block_size_minimum: 1,
        block_size_preferred: 4096,
        block_size_maximum: 32 * MIB,
      },
    ]);
  });

  test('nbdinfo is not told of a discard that the device does not have', async () => {
    const info = await run('nbdinfo', await exportOf(memoryDevice(5 * MIB)));

    expect(info).toContain('can_trim: false');
  });

  test('nbdinfo --map shows our holes', async () => {
    const { path } = await volumeFile();

    const map = JSON.parse(await run('nbdinfo', '--json', '--map', await exportOfFile(path))) as unknown;

    expect(map).toMatchObject([
      { offset: 0, length: MIB, type: 3 },
      { offset: MIB, length: MIB, type: 0 },
      { offset: 2 * MIB, length: MIB, type: 3 },
      { offset: 3 * MIB, length: 65_536, type: 0 },
      { offset: 3 * MIB + 65_536, length: 2 * MIB - 65_536, type: 3 },
    ]);
  });

  test('nbdinfo --list is refused: whoever may use an export knows its name', async () => {
    const error = await thrownBy(run('nbdinfo', '--list', await exportOf(memoryDevice(MIB))));

    expect(error.message).toContain('list');
  });

  test('nbdcopy over four connections reads a volume out, and it stays thin', async () => {
    const { path, content } = await volumeFile();
    const out = `${path}.out`;

    await run('nbdcopy', '--connections=4', '--request-size=65536', await exportOfFile(path), out);

    expect((await contentOf(out)).equals(content)).toBe(true);
    expect(await allocatedMib(out)).toBe(1);
  });

  test('nbdcopy over four connections writes a volume over what was there, and one flush covers them all', async () => {
    const { path, content } = await volumeFile();
    const device = memoryDevice(5 * MIB, 0xff);

    await run('nbdcopy', '--connections=4', '--request-size=65536', '--flush', path, await exportOf(device));

    expect(device.durable().equals(content)).toBe(true);
  });

  for (const [how, flags, takesUpMib] of [
    ['as holes', [], 1],
    ['that take up their space', ['--allocated'], 5],
  ] as const)
    test(`nbdcopy makes zeroes ${how}`, async () => {
      const { path, content } = await volumeFile();
      const destination = await emptyFile(5 * MIB, 0xff);

      await run('nbdcopy', ...flags, '--flush', path, await exportOfFile(destination));

      expect((await contentOf(destination)).equals(content)).toBe(true);
      expect(await allocatedMib(destination)).toBe(takesUpMib);
    });

  test('nbdcopy from one of our exports to another', async () => {
    const { path, content } = await volumeFile();
    const device = memoryDevice(5 * MIB, 0xff);

    await run('nbdcopy', '--flush', await exportOfFile(path), await exportOf(device));

    expect(device.durable().equals(content)).toBe(true);
  });
});
