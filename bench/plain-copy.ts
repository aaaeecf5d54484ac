import type { BlockDevice } from '../domain/block-device.ts';
import { copyDevice } from '../host-agent/copy/copy.ts';

/** Our copy between two devices of this process, to one that reads as zeroes: with its digest, and nothing that disturbs it. */
export const plainCopy = async (source: BlockDevice, destination: BlockDevice, sizeBytes: number) => {
  const copied = await copyDevice({
    source,
    destination,
    sizeBytes,
    destinationIsZero: true,
    onProgress: () => undefined,
    onCheckpoint: async () => undefined,
    buckets: [],
    whilePaused: () => undefined,
    monotonicMs: () => performance.now(),
    signal: new AbortController().signal,
  });
  await destination.flush();
  await source.close();
  await destination.close();
  return copied;
};
