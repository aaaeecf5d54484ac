import type { BlockDevice } from '../../domain/block-device.ts';
import { alignedBuffers } from '../device/aligned.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import type { Digest } from '../digest/digest.ts';
import { CHUNK_BYTES, chunkCount } from '../digest/tree-hash.ts';
import { type Piece, pieces } from './chunks.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createOrdered } from './ordered.ts';

/** What a piece is in the digest: the leaf hash of its chunk, or zeroes. */
export type Content = Buffer | 'zeroes';

export interface Scan {
  readonly device: BlockDevice;
  readonly sizeBytes: number;
  /** Grows in address order, from the chunk it is at. */
  readonly digest: Digest;
  readonly maxZeroChunks?: number;
  /** Called for many pieces at once. A piece of data has `memory` of its length for itself until it resolves. */
  visit(piece: Piece, memory: Buffer): Promise<Content>;
  /** The digest has grown. */
  onGrown(inFlight: InFlight): void;
  /** Awaited before each piece is begun. */
  before?(inFlight: InFlight): Promise<void>;
  readonly signal: AbortSignal;
  /** One buffer of a chunk for each request in flight, aligned for direct I/O; made for this scan when left out. */
  readonly window?: readonly Buffer[] | undefined;
}

export const REQUESTS_IN_FLIGHT = 8;
/** One slow request lets this many others go by, then the intake waits for it. */
const MAX_EARLY = 256;

/** Walks a device in address order with several pieces at once. When it ends, also by an error, nothing is under way. */
export const scan = async (request: Scan): Promise<void> => {
  const { device, sizeBytes, digest, signal, maxZeroChunks } = request;
  const inFlight = createInFlight(request.window ?? alignedBuffers(REQUESTS_IN_FLIGHT, CHUNK_BYTES));
  const ordered = createOrdered<Content>(digest.chunks, (content, _chunk, span) => {
    if (content === 'zeroes') digest.zeroes(span);
    else digest.chunk(content);
    request.onGrown(inFlight);
  });
  try {
    for await (const piece of pieces(device, sizeBytes, digest.chunks, signal, maxZeroChunks)) {
      throwIfAborted(signal);
      await request.before?.(inFlight);
      await inFlight.until(() => ordered.early < MAX_EARLY);
      await inFlight.run(async (buffer) => {
        const memory = buffer.subarray(0, piece.kind === 'data' ? piece.lengthBytes : 0);
        ordered.put(piece.chunk, piece.kind === 'data' ? 1 : piece.count, await request.visit(piece, memory));
      });
    }
  } finally {
    await inFlight.drain();
  }
  if (digest.chunks !== chunkCount(sizeBytes))
    throw new DataPathError('IoError', 'the extents of the device do not cover its size');
};
