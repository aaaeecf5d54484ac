import type { BlockDevice } from '../../domain/block-device.ts';
import { alignedBuffers } from '../device/aligned.ts';
import { DataPathError } from '../device/errors.ts';
import { chunkCount, createDigest, type Digest } from '../digest/digest.ts';
import { CHUNK_BYTES, leafHash } from '../digest/tree-hash.ts';
import type { Checkpoint } from './checkpoint.ts';
import { bytesOf, isZero, type Piece, pieces } from './chunks.ts';
import { createInFlight } from './in-flight.ts';
import { createOrdered } from './ordered.ts';
import { createRate } from './rate.ts';
import type { TokenBucket } from './token-bucket.ts';

/**
 * Copies the first `sizeBytes` bytes of one device to another: extents first, many requests in flight, zeroes neither read
 * twice nor sent to a destination that has them, the source's digest computed on the way.
 */
export interface CopyRequest {
  readonly source: BlockDevice;
  readonly destination: BlockDevice;
  readonly sizeBytes: number;
  /** True only when the destination is known to read as zeroes wherever nothing was written. */
  readonly destinationIsZero: boolean;
  readonly checkpoint?: Checkpoint;
  readonly onProgress: (progress: CopyProgress) => void;
  /** Is awaited: the next checkpoint is not made before this one is kept. */
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>;
  readonly buckets: readonly TokenBucket[];
  /** Resolves at once unless the copy is paused. */
  readonly whilePaused: (signal: AbortSignal) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
  /** One buffer of a chunk for each request in flight, aligned for direct I/O; made for this copy when left out. */
  readonly window?: readonly Buffer[];
}

export interface CopyProgress {
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
}

export interface Copied {
  readonly digest: string;
  readonly bytes: { readonly read: number; readonly written: number; readonly zeroes: number };
}

export const REQUESTS_IN_FLIGHT = 8;
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MS = 5_000;
/** Zeroes travel in requests of this size at the most (an NBD length has 32 bits; servers may take less). */
const ZERO_PIECE_BYTES = 32 * 1024 * 1024;

type Settled = { readonly kind: 'leaf'; readonly leaf: Buffer } | { readonly kind: 'zeroes'; readonly count: number };

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

const writeZeroes = async (device: BlockDevice, from: number, end: number, signal: AbortSignal): Promise<void> => {
  for (let at = from; at < end; at += ZERO_PIECE_BYTES)
    await device.writeZeroes(at, Math.min(ZERO_PIECE_BYTES, end - at), signal);
};

/** Moves one piece; what it found is what goes into the digest. */
const mover = (request: CopyRequest, bytes: { read: number; written: number; zeroes: number }) => {
  const { source, destination, destinationIsZero, sizeBytes, signal } = request;
  const zero = async (chunk: number, count: number): Promise<Settled> => {
    const [from, end] = [chunk * CHUNK_BYTES, bytesOf(chunk + count, sizeBytes)];
    bytes.zeroes += end - from;
    if (!destinationIsZero) await writeZeroes(destination, from, end, signal);
    return { kind: 'zeroes', count };
  };
  return async (piece: Piece, buffer: Buffer): Promise<Settled> => {
    if (piece.kind === 'zeroes') return zero(piece.chunk, piece.count);
    const memory = buffer.subarray(0, piece.lengthBytes);
    await source.read(piece.chunk * CHUNK_BYTES, memory, signal);
    bytes.read += memory.length;
    if (isZero(memory)) return zero(piece.chunk, 1);
    const leaf = leafHash(memory);
    for (const bucket of request.buckets) await bucket.take(memory.length, signal);
    await destination.write(piece.chunk * CHUNK_BYTES, memory, signal);
    bytes.written += memory.length;
    return { kind: 'leaf', leaf };
  };
};

interface Checkpointer {
  /** Begins a checkpoint when one is due and none is under way; throws what an earlier one failed with. */
  perhaps(): void;
  /** Resolves when none is under way any more. */
  settled(): Promise<void>;
}

/**
 * Flush, then checkpoint, beside the copy: the mark is taken before the flush, so it names only writes that were answered
 * before it; the copy goes on meanwhile. After a failed flush nothing is marked any more.
 */
const checkpointer = (request: CopyRequest, digest: Digest): Checkpointer => {
  let atBytes = bytesOf(digest.chunks, request.sizeBytes);
  let atMs = request.monotonicMs();
  let underWay: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  const mark = async (settledBytes: number): Promise<void> => {
    const checkpoint: Checkpoint = { settledBytes, digest: digest.state() };
    await request.destination.flush(request.signal);
    await request.onCheckpoint(checkpoint);
  };
  return {
    perhaps() {
      if (failure) throw failure.error;
      const settledBytes = bytesOf(digest.chunks, request.sizeBytes);
      const due = settledBytes - atBytes >= CHECKPOINT_BYTES || request.monotonicMs() - atMs >= CHECKPOINT_MS;
      if (underWay || settledBytes === atBytes || !due) return;
      atBytes = settledBytes;
      atMs = request.monotonicMs();
      underWay = mark(settledBytes)
        .catch((error: unknown) => {
          failure = { error };
        })
        .finally(() => {
          underWay = undefined;
        });
    },
    async settled() {
      await underWay;
      if (failure) throw failure.error;
    },
  };
};

export const copyDevice = async (request: CopyRequest): Promise<Copied> => {
  requireRoom(request);
  const { sizeBytes, signal } = request;
  const digest = createDigest(sizeBytes, request.checkpoint?.digest);
  const bytes = { read: 0, written: 0, zeroes: 0 };
  const rate = createRate(request.monotonicMs);
  const ordered = createOrdered<Settled>(digest.chunks, (settled) => {
    if (settled.kind === 'leaf') digest.chunk(settled.leaf);
    else digest.zeroes(settled.count);
    const settledBytes = bytesOf(digest.chunks, sizeBytes);
    request.onProgress({ settledBytes, totalBytes: sizeBytes, rateBytesPerSecond: rate.add(settledBytes) });
  });
  const move = mover(request, bytes);
  const checkpoint = checkpointer(request, digest);
  const inFlight = createInFlight(request.window ?? alignedBuffers(REQUESTS_IN_FLIGHT, CHUNK_BYTES));
  request.onProgress({ settledBytes: bytesOf(digest.chunks, sizeBytes), totalBytes: sizeBytes, rateBytesPerSecond: 0 });
  try {
    for await (const piece of pieces(request.source, sizeBytes, digest.chunks, signal)) {
      signal.throwIfAborted();
      await request.whilePaused(signal);
      await inFlight.run(async (buffer) =>
        ordered.put(piece.chunk, piece.kind === 'data' ? 1 : piece.count, await move(piece, buffer)),
      );
      checkpoint.perhaps();
    }
  } finally {
    // also after a failure: what is under way must have ended before the caller may close the devices
    await Promise.allSettled([inFlight.drain(), checkpoint.settled()]);
  }
  await inFlight.drain();
  await checkpoint.settled();
  if (!request.destinationIsZero)
    await writeZeroes(request.destination, sizeBytes, request.destination.sizeBytes, signal);
  if (digest.chunks !== chunkCount(sizeBytes))
    throw new DataPathError('IoError', 'the source gave fewer extents than its size');
  await request.destination.flush(signal);
  return { digest: digest.finish(), bytes };
};
