import type { BlockDevice } from '../../../domain/block-device.ts';

/** As large as one likes without memory: full of the same data, or without any, and forgets what is written. */
export const endless = (sizeBytes: number, kind: 'data' | 'hole' = 'data'): BlockDevice => ({
  sizeBytes,
  blockSizeBytes: 1,
  read: async (_offset, target) => void target.fill(7),
  write: async () => undefined,
  writeZeroes: async () => undefined,
  flush: async () => undefined,
  async *extents(offset, lengthBytes) {
    yield { offset, lengthBytes, kind };
  },
  close: async () => undefined,
});
