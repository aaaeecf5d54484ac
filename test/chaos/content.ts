import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { openFileDevice } from '../../host-agent/device/file-device.ts';

/**
 * What a volume must hold, block by block of 64 KiB: the stamp that was written last, 0 for zeroes. Every block of every volume
 * and every stamp has bytes of its own, so one that is old, or at a wrong address, is seen.
 */
export type Content = Map<number, number>;

export const BLOCK_BYTES = 64 * 1024;

const bytesOf = (volumeId: string, block: number, stamp: number): Buffer =>
  stamp === 0
    ? Buffer.alloc(BLOCK_BYTES)
    : Buffer.alloc(BLOCK_BYTES, createHash('sha256').update(`${volumeId} ${block} ${stamp}`).digest());

/** As a guest does: into the file, and durable when it is back. */
export const writeBlocks = async (path: string, volumeId: string, blocks: Content): Promise<void> => {
  const handle = await open(path, 'r+');
  try {
    for (const [block, stamp] of blocks)
      await handle.write(bytesOf(volumeId, block, stamp), 0, BLOCK_BYTES, block * BLOCK_BYTES);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** The blocks that differ from what must be there; what nobody wrote must be zeroes. */
export const differingBlocks = async (path: string, volumeId: string, content: Content): Promise<number[]> => {
  const device = await openFileDevice(path, { mode: 'ro' });
  const differing: number[] = [];
  const unseen = new Map(content);
  const actual = Buffer.alloc(BLOCK_BYTES);
  try {
    for await (const { offset, lengthBytes, kind } of device.extents(0, device.sizeBytes)) {
      if (kind === 'hole') continue;
      const last = Math.ceil((offset + lengthBytes) / BLOCK_BYTES);
      for (let block = Math.floor(offset / BLOCK_BYTES); block < last; block++) {
        await device.read(block * BLOCK_BYTES, actual);
        if (!actual.equals(bytesOf(volumeId, block, content.get(block) ?? 0))) differing.push(block);
        unseen.delete(block);
      }
    }
  } finally {
    await device.close();
  }
  const lost = [...unseen].filter(([, stamp]) => stamp !== 0).map(([block]) => block);
  return [...new Set([...differing, ...lost])].sort((a, b) => a - b);
};
