import type { BlockDevice } from '../../domain/block-device.ts';
import type { Activity } from '../../domain/job/job.ts';
import { throwIfAborted } from '../device/errors.ts';
import type { ChunkRange } from '../digest/descent.ts';
import { chunkLength } from '../digest/tree-hash.ts';
import { flushed } from './checkpointer.ts';
import { bytesOf } from './chunks.ts';
import { createInFlight } from './in-flight.ts';
import { createMover, type MovedBytes } from './mover.ts';
import { createPausing } from './pausing.ts';
import { createRate } from './rate.ts';
import type { Content } from './scan.ts';
import { throttled } from './throttled.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Copies chosen chunks once more, whatever stands at the destination, and makes them durable. */
export interface RecopyRequest {
  readonly source: BlockDevice;
  readonly destination: BlockDevice;
  /** Of the volume. */
  readonly sizeBytes: number;
  /** In ascending order. */
  readonly ranges: AsyncIterable<ChunkRange>;
  /** What the source holds there now. */
  readonly onCopied: (chunk: number, content: Content) => Promise<void>;
  /** As in CopyRequest, like those below. */
  readonly onProgress: (progress: RecopyProgress) => void;
  readonly buckets: readonly TokenBucket[];
  readonly whilePaused: (signal: AbortSignal) => Promise<void> | undefined;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
  readonly window: readonly Buffer[];
}

export interface RecopyProgress {
  /** Bytes of the volume from its start that are as they should be. */
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
  readonly activity?: Activity;
}

export const recopy = async (request: RecopyRequest): Promise<MovedBytes> => {
  const { destination, sizeBytes, ranges, onCopied, monotonicMs, signal, window } = request;
  const mover = createMover({
    ...request,
    destination: throttled(destination, request.buckets),
    destinationIsZero: false,
    digest: true,
  });
  const inFlight = createInFlight(window);
  const underWay = new Set<number>();
  const rate = createRate(monotonicMs);
  let next = 0;
  const tell = (rateBytesPerSecond: number, at: Pick<RecopyProgress, 'activity'> = {}): void =>
    request.onProgress({ settledBytes: settled(), totalBytes: sizeBytes, rateBytesPerSecond, ...at });
  const settled = (): number => bytesOf(Math.min(next, ...underWay), sizeBytes);
  const holdIfPaused = createPausing({
    ...request,
    onPause() {
      rate.rest();
      tell(0, { activity: 'paused' });
    },
    onResume: () => tell(rate.add(settled())),
  });

  const copyChunk = async (chunk: number, buffer: Buffer): Promise<void> => {
    const lengthBytes = chunkLength(sizeBytes, chunk);
    const content = await mover.move({ kind: 'data', chunk, lengthBytes }, buffer.subarray(0, lengthBytes));
    await onCopied(chunk, content);
    underWay.delete(chunk);
    tell(rate.add(settled()));
  };

  try {
    for await (const { first, count } of ranges) {
      for (let chunk = first; chunk < first + count; chunk++) {
        throwIfAborted(signal);
        await holdIfPaused(() => inFlight.idle());
        underWay.add(chunk);
        next = chunk + 1;
        await inFlight.run((buffer) => copyChunk(chunk, buffer));
      }
    }
  } finally {
    await inFlight.drain();
  }
  await flushed(destination, signal);
  return mover.bytes;
};
