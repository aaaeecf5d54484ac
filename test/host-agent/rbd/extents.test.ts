import { describe, expect, it } from 'vitest';
import type { Extent } from '../../../domain/block-device.ts';
import { extentsInPieces } from '../../../host-agent/drivers/rbd/extents.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;

/** Every other 64 MiB are data; remembers what it was asked for, and fails from `failsAt` on. */
const rig = (failsAt = Number.POSITIVE_INFINITY) => {
  const asked: [number, number][] = [];
  const device = {
    async *extents(offset: number, lengthBytes: number): AsyncGenerator<Extent> {
      asked.push([offset / MIB, lengthBytes / MIB]);
      if (offset >= failsAt) throw new Error('the connection broke');
      for (let at = offset; at < offset + lengthBytes; at += 64 * MIB)
        yield {
          offset: at,
          lengthBytes: Math.min(64 * MIB, offset + lengthBytes - at),
          kind: (at / MIB / 64) % 2 === 0 ? 'data' : 'hole',
        };
    },
  };
  return { asked, device };
};

describe('the extents of an image', () => {
  it('are asked for in pieces, one ahead, and are the same ones', async () => {
    const { asked, device } = rig();
    const told: Extent[] = [];
    const after: number[] = [];

    for await (const extent of extentsInPieces(device, 0, 300 * MIB, NEVER)) {
      told.push(extent);
      after.push(asked.length);
    }

    expect(asked).toEqual([
      [0, 128],
      [128, 128],
      [256, 44],
    ]);
    expect(after).toEqual([2, 2, 3, 3, 3]);
    expect(told.map(({ offset, lengthBytes, kind }) => [offset / MIB, lengthBytes / MIB, kind])).toEqual([
      [0, 64, 'data'],
      [64, 64, 'hole'],
      [128, 64, 'data'],
      [192, 64, 'hole'],
      [256, 44, 'data'],
    ]);
  });

  it('fail in their turn, and are nobody’s when nobody goes on', async () => {
    const { device } = rig(128 * MIB);
    const told: number[] = [];
    const all = async (most: number): Promise<void> => {
      for await (const { offset } of extentsInPieces(device, 0, 300 * MIB, NEVER)) {
        told.push(offset / MIB);
        if (told.length === most) break;
      }
    };

    await all(1);
    await expect(all(100)).rejects.toThrow('the connection broke');

    expect(told).toEqual([0, 0, 64]);
  });
});
