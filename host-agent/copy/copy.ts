import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import { createDigest } from '../digest/digest.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Checkpointer, createCheckpointer, flushed } from './checkpointer.ts';
import { bytesOf } from './chunks.ts';
import type { InFlight } from './in-flight.ts';
import { createMover, type MovedBytes } from './mover.ts';
import { createRate } from './rate.ts';
import { scan } from './scan.ts';
import type { TokenBucket } from './token-bucket.ts';

export { REQUESTS_IN_FLIGHT } from './scan.ts';

/**
 * Copies the first `sizeBytes` bytes of one device to another: extents first, many requests in flight, zeroes neither read
 * twice nor sent to a destination that has them, the source's digest computed on the way. When it ends, also by an error,
 * nothing is under way any more, and what the last checkpoint names is durable.
 */
export interface CopyRequest {
  readonly source: BlockDevice;
  readonly destination: BlockDevice;
  readonly sizeBytes: number;
  /** True only when the destination is known to read as zeroes wherever nothing was written. */
  readonly destinationIsZero: boolean;
  /** Of an earlier try of the same copy, of a source that has not changed since. */
  readonly checkpoint?: Checkpoint;
  /** `settledBytes` never goes back. */
  readonly onProgress: (progress: CopyProgress) => void;
  /** Is awaited: the next checkpoint is not made before this one is kept. */
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
  readonly buckets: readonly TokenBucket[];
  /** Resolves at once unless the copy is paused. Before a pause, what is under way ends and is made durable. */
  readonly whilePaused: (signal: AbortSignal) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
  /** One buffer of a chunk for each request in flight, aligned for direct I/O; made for this copy when left out. */
  readonly window?: readonly Buffer[];
}

export interface CopyProgress {
  /** Bytes of the volume that are at the destination, holes included, from its start without a gap. */
  readonly settledBytes: number;
  readonly totalBytes: number;
  /** Read and written by this try. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Settled bytes a second, smoothed; 0 while it is paused or not known yet. */
  readonly rateBytesPerSecond: number;
}

export interface Copied {
  /** Of the source, in hex. */
  readonly digest: string;
  readonly bytes: MovedBytes & { readonly size: number };
}

/** A long hole is zeroed in pieces of 64 MiB, so that progress shows and checkpoints are made meanwhile. */
const ZERO_PIECE_CHUNKS = 64;
const TAIL_PIECE_BYTES = 64 * 1024 * 1024;

const requireRoom = ({ source, destination, sizeBytes }: CopyRequest): void => {
  if (source.sizeBytes < sizeBytes)
    throw new DataPathError('OutOfRange', `the source has ${source.sizeBytes} bytes, ${sizeBytes} are wanted`);
  if (destination.sizeBytes < sizeBytes) {
    throw new DataPathError(
      'DestinationTooSmall',
      `the destination has ${destination.sizeBytes} bytes, ${sizeBytes} are needed`,
    );
  }
};

/** Whoever gets the larger object must not find another volume's bytes behind the end of this one. */
const zeroTail = async ({ destination, sizeBytes, destinationIsZero, signal }: CopyRequest): Promise<void> => {
  if (destinationIsZero) return;
  for (let at = sizeBytes; at < destination.sizeBytes; at += TAIL_PIECE_BYTES) {
    throwIfAborted(signal);
    await destination.writeZeroes(at, Math.min(TAIL_PIECE_BYTES, destination.sizeBytes - at), signal);
  }
};

/** False when it resolves within a turn of the event loop. */
const isPending = async (promise: Promise<void>): Promise<boolean> => {
  const turn = new Promise<true>((resolve) => {
    setImmediate(resolve, true);
  });
  return Promise.race([promise.then(() => false), turn]);
};

const pausing = (request: CopyRequest, checkpointer: Checkpointer, onPause: () => void) => {
  return async (inFlight: InFlight): Promise<void> => {
    const resumed = request.whilePaused(request.signal);
    if (!(await isPending(resumed))) return;
    // the failure of either is thrown below; that of a pause that ends while we drain must not go unheard
    resumed.catch(() => undefined);
    await inFlight.idle();
    await checkpointer.make();
    onPause();
    await resumed;
  };
};

export const copyDevice = async (request: CopyRequest): Promise<Copied> => {
  requireRoom(request);
  const { source, destination, sizeBytes, monotonicMs, signal } = request;
  const digest = createDigest(sizeBytes, request.checkpoint?.digest);
  const settledBytes = (): number => bytesOf(digest.chunks, sizeBytes);
  const mover = createMover(request);
  const rate = createRate(monotonicMs);
  const progress = (rateBytesPerSecond: number): void =>
    request.onProgress({
      settledBytes: settledBytes(),
      totalBytes: sizeBytes,
      bytesRead: mover.bytes.read,
      bytesWritten: mover.bytes.written,
      rateBytesPerSecond,
    });
  const mark = (): Checkpoint => ({ settledBytes: settledBytes(), digest: digest.state() });
  const keep = request.onCheckpoint;
  const checkpointer = createCheckpointer({
    destination,
    settledBytes,
    workBytes: () => mover.bytes.read,
    mark,
    keep,
    monotonicMs,
    signal,
  });

  throwIfAborted(signal);
  progress(rate.add(settledBytes()));
  await scan({
    device: source,
    sizeBytes,
    digest,
    maxZeroChunks: request.destinationIsZero ? Number.MAX_SAFE_INTEGER : ZERO_PIECE_CHUNKS,
    visit: (piece, memory) => mover.move(piece, memory),
    onGrown(inFlight) {
      progress(rate.add(settledBytes()));
      if (checkpointer.due) inFlight.beside(async () => void (await checkpointer.make()));
    },
    before: pausing(request, checkpointer, () => {
      rate.rest();
      progress(0);
    }),
    signal,
    window: request.window,
  });
  await zeroTail(request);
  if (!(await checkpointer.make())) await flushed(destination, signal);
  return { digest: digest.finish(), bytes: { size: sizeBytes, ...mover.bytes } };
};
