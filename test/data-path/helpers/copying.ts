import type { BlockDevice } from '../../../domain/block-device.ts';
import type { Checkpoint } from '../../../host-agent/copy/checkpoint.ts';
import { type Copied, type CopyRequest, copyDevice } from '../../../host-agent/copy/copy.ts';
import { alignedBuffers } from '../../../host-agent/device/aligned.ts';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';

/** A clock that goes on so fast that a checkpoint is due after every piece. */
export const hastyClock = (): (() => number) => {
  let nowMs = 0;
  return () => {
    nowMs += 6_000;
    return nowMs;
  };
};

const window = alignedBuffers(8, CHUNK_BYTES);

export interface Copying {
  readonly copied: Promise<Copied>;
  readonly checkpoints: Checkpoint[];
  readonly settled: number[];
}

/** Copies the whole of `source`, with checkpoints as often as can be; a test changes what it is about. */
export const copying = (source: BlockDevice, destination: BlockDevice, change: Partial<CopyRequest> = {}): Copying => {
  const checkpoints: Checkpoint[] = [];
  const settled: number[] = [];
  const copied = copyDevice({
    source,
    destination,
    sizeBytes: source.sizeBytes,
    destinationIsZero: true,
    onProgress: (progress) => settled.push(progress.settledBytes),
    onCheckpoint: async (checkpoint) => {
      checkpoints.push(checkpoint);
    },
    buckets: [],
    whilePaused: async () => undefined,
    monotonicMs: hastyClock(),
    signal: new AbortController().signal,
    window,
    ...change,
  });
  return { copied, checkpoints, settled };
};
