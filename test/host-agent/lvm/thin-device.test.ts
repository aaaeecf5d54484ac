import { describe, expect, it } from 'vitest';
import { createAllocation } from '../../../host-agent/drivers/lvm/allocation.ts';
import { thinDevice } from '../../../host-agent/drivers/lvm/thin-device.ts';
import type { ThinMap } from '../../../host-agent/drivers/lvm/thin-map.ts';
import { memoryDevice } from '../../data-path/helpers/memory-device.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';

const KIB = 1024;
const CHUNK = 64 * KIB;
const SIZE = 16 * CHUNK;
const NOTHING: ThinMap = { blockBytes: CHUNK, begins: [], ends: [] };
const FIRST_TWO: ThinMap = { blockBytes: CHUNK, begins: [0], ends: [2] };

/** A volume in a pool that has so many bytes left. */
const volume = (map: ThinMap | undefined, leftBytes: number) => {
  const admitted: number[] = [];
  let left = leftBytes;
  const device = thinDevice({
    device: { ...memoryDevice(SIZE), directIo: false },
    zeroing: true,
    allocation: createAllocation(async () => map, { count: 0 }, CHUNK),
    guard: {
      async admit(bytes) {
        if (bytes > left) throw new Error(`${left} bytes are left`);
        left -= bytes;
        admitted.push(bytes);
      },
    },
    explain: async (error) => error,
  });
  return { device, admitted };
};
const write = (device: ReturnType<typeof thinDevice>, offset: number, lengthBytes = 512) =>
  device.write(offset, Buffer.alloc(lengthBytes, 7));

describe('a write to a thin volume', () => {
  it('takes whole chunks of the pool, however little it is', async () => {
    const { device, admitted } = volume(NOTHING, SIZE);

    await write(device, 0);
    await write(device, 2 * CHUNK - 100, 200);

    expect(admitted).toEqual([CHUNK, 2 * CHUNK]);
  });

  it('is refused when the chunk that it begins does not fit, although its bytes would', async () => {
    const { device } = volume(NOTHING, CHUNK - 1);

    expect((await thrownBy(write(device, 0))).message).toContain('bytes are left');
  });

  it('takes nothing where chunks are known to be mapped, by the map or by what was written before', async () => {
    const { device, admitted } = volume(FIRST_TWO, SIZE);
    await Array.fromAsync(device.extents(0, SIZE));

    await write(device, CHUNK);
    await write(device, 5 * CHUNK);
    await write(device, 5 * CHUNK + 4096);

    expect(admitted).toEqual([CHUNK]);
  });

  it('is let through in a pool without room where it turns out to take none, and takes no more than it needs', async () => {
    const { device, admitted } = volume(FIRST_TWO, CHUNK);

    await write(device, 0, 3 * CHUNK);
    await write(device, 0, 2 * CHUNK);

    expect(admitted).toEqual([CHUNK]);
    expect((await thrownBy(write(device, 3 * CHUNK))).message).toContain('0 bytes are left');
  });

  it('is refused in a pool without room when nobody can tell what is mapped', async () => {
    const { device } = volume(undefined, 0);

    expect((await thrownBy(write(device, 0))).message).toContain('0 bytes are left');
  });
});
