import type { BlockDevice } from '../../domain/block-device.ts';
import type { Activity } from '../../domain/job/job.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import { createDigest, type Digest } from '../digest/digest.ts';
import { createNoDigest } from '../digest/no-digest.ts';
import { type LeafSink, recorded } from '../digest/recorded.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Checkpointer, createCheckpointer, flushed } from './checkpointer.ts';
import { bytesOf } from './chunks.ts';
import { type ComparisonDeps, createComparison, type LeafReader } from './comparison.ts';
import type { InFlight } from './in-flight.ts';
import { createMover, type MovedBytes, type Mover } from './mover.ts';
import { createPausing } from './pausing.ts';
import { createRate } from './rate.ts';
import { scan } from './scan.ts';
import { throttled } from './throttled.ts';
import type { TokenBucket } from './token-bucket.ts';
import { createWork } from './work.ts';
import { type Zeroed, zeroTail } from './zero-tail.ts';

export { leafReaderOf } from './comparison.ts';
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
  /** What the destination holds already: then only chunks that differ are written, and `destinationIsZero` has to be false. */
  readonly destinationLeaves?: LeafReader;
  readonly onDifference?: ComparisonDeps['onDifference'];
  /** False: the source is not digested, and nothing can be proven; whoever compares or keeps leaves needs it. True when left out. */
  readonly digest?: boolean;
  /** Hears of the source's leaf hashes. */
  readonly leaves?: LeafSink;
  /** Of an earlier try of the same copy, of a source that has not changed since. */
  readonly checkpoint?: Checkpoint;
  /** `settledBytes` never goes back. */
  readonly onProgress: (progress: CopyProgress) => void;
  /** Is awaited: the next checkpoint is not made before this one is kept. */
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
  readonly buckets: readonly TokenBucket[];
  /** Undefined, or resolved at once, unless the copy is paused. Before a pause, what is under way ends and is made durable. */
  readonly whilePaused: (signal: AbortSignal) => Promise<void> | undefined;
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
  /** Settled (or zeroed) bytes a second, smoothed; 0 while it is paused or not known yet. */
  readonly rateBytesPerSecond: number;
  /** Undefined: it copies. */
  readonly activity?: Activity;
  /** While the end of a destination that is larger than the volume is zeroed: all of the volume is settled then. */
  readonly zeroing?: Zeroed;
}

export interface Copied {
  /** Of the source, in hex; null when it was not asked for. */
  readonly digest: string | null;
  readonly bytes: MovedBytes & { readonly size: number };
}

/** A long hole is zeroed in pieces of 16 MiB, so that progress shows and checkpoints are made meanwhile. */
const ZERO_PIECE_CHUNKS = 16;
/** What the destination has under a hole is read in pieces that it can answer for in seconds. */
const COMPARED_PIECE_CHUNKS = 256;

const requireRoom = ({ source, destination, sizeBytes }: CopyRequest): void => {
  if (source.sizeBytes < sizeBytes)
    throw new DataPathError('ShortRead', `the source has ${source.sizeBytes} bytes, ${sizeBytes} are wanted`);
  if (destination.sizeBytes < sizeBytes) {
    throw new DataPathError(
      'DestinationTooSmall',
      `the destination has ${destination.sizeBytes} bytes, ${sizeBytes} are needed`,
    );
  }
};

const makeIfDue = (checkpointer: Checkpointer, inFlight: InFlight): void => {
  if (checkpointer.due) inFlight.beside(async () => void (await checkpointer.make()));
};

/** Holds the intake while a crash would cost more than an interval: a slow flush slows the copy down, and loses nothing more. */
const roomFor = async (checkpointer: Checkpointer, inFlight: InFlight): Promise<void> => {
  while (checkpointer.full) {
    makeIfDue(checkpointer, inFlight);
    await inFlight.until(() => !checkpointer.full || checkpointer.due);
  }
};

const maxZeroChunks = ({ destinationIsZero, destinationLeaves }: CopyRequest): number => {
  if (destinationIsZero) return Number.MAX_SAFE_INTEGER;
  return destinationLeaves ? COMPARED_PIECE_CHUNKS : ZERO_PIECE_CHUNKS;
};

const isDigested = ({ digest = true, leaves, destinationLeaves }: CopyRequest): boolean =>
  digest || leaves !== undefined || destinationLeaves !== undefined;

const digestOf = (request: CopyRequest): Digest => {
  const { sizeBytes, checkpoint, leaves } = request;
  if (!isDigested(request)) return createNoDigest(sizeBytes, checkpoint?.digest);
  const digest = createDigest(sizeBytes, checkpoint?.digest);
  return leaves ? recorded(digest, leaves) : digest;
};

const comparisonOf = ({ destinationLeaves, sizeBytes, onDifference, signal }: CopyRequest) =>
  destinationLeaves &&
  createComparison({ leaves: destinationLeaves, sizeBytes, onDifference: onDifference ?? (() => undefined), signal });

const telling =
  ({ sizeBytes, onProgress }: CopyRequest, settledBytes: () => number, moved: MovedBytes) =>
  (rateBytesPerSecond: number, at: Pick<CopyProgress, 'activity' | 'zeroing'> = {}): void =>
    onProgress({
      settledBytes: settledBytes(),
      totalBytes: sizeBytes,
      bytesRead: moved.read,
      bytesWritten: moved.written,
      rateBytesPerSecond,
      ...at,
    });

const moverOf = (request: CopyRequest): Mover =>
  createMover({
    ...request,
    destination: throttled(request.destination, request.buckets),
    comparison: comparisonOf(request),
    digest: isDigested(request),
  });

export const copyDevice = async (request: CopyRequest): Promise<Copied> => {
  requireRoom(request);
  const { source, destination, sizeBytes, monotonicMs, signal } = request;
  const digest = digestOf(request);
  const settledBytes = (): number => bytesOf(digest.chunks, sizeBytes);
  const mover = moverOf(request);
  const work = createWork();
  const rate = createRate(monotonicMs);
  const progress = telling(request, settledBytes, mover.bytes);
  const checkpointer = createCheckpointer({
    destination,
    settledBytes,
    workBytes: () => work.begunBytes,
    settledWorkBytes: () => work.settledBytes(digest.chunks),
    mark: () => ({ settledBytes: settledBytes(), digest: digest.state() }),
    keep: request.onCheckpoint,
    monotonicMs,
    signal,
  });

  const holdIfPaused = createPausing({
    ...request,
    settle: () => checkpointer.make(),
    onPause() {
      rate.rest();
      progress(0, { activity: 'paused' });
    },
    onResume: () => progress(rate.add(settledBytes())),
  });

  throwIfAborted(signal);
  progress(rate.add(settledBytes()));
  await scan({
    device: source,
    sizeBytes,
    digest,
    maxZeroChunks: maxZeroChunks(request),
    visit(piece, memory) {
      if (piece.kind === 'data') work.begin(piece.chunk, piece.lengthBytes);
      return mover.move(piece, memory);
    },
    onGrown(inFlight) {
      progress(rate.add(settledBytes()));
      makeIfDue(checkpointer, inFlight);
    },
    async before(inFlight) {
      await holdIfPaused(() => inFlight.idle());
      await roomFor(checkpointer, inFlight);
    },
    signal,
    window: request.window,
  });
  const tailRate = createRate(monotonicMs);
  await zeroTail({
    ...request,
    before: () => holdIfPaused(async () => undefined),
    onZeroed: (zeroing) => progress(tailRate.add(zeroing.doneBytes), { activity: 'zeroing', zeroing }),
  });
  if (!(await checkpointer.make())) await flushed(destination, signal);
  const proof = digest.finish();
  return { digest: isDigested(request) ? proof : null, bytes: { size: sizeBytes, ...mover.bytes } };
};
