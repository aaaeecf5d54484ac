import type { BlockDevice } from '../../domain/block-device.ts';
import { bytesOf, isZero, pieces } from '../copy/chunks.ts';
import { type CopyProgress, REQUESTS_IN_FLIGHT } from '../copy/copy.ts';
import { createInFlight } from '../copy/in-flight.ts';
import { createOrdered } from '../copy/ordered.ts';
import { createRate } from '../copy/rate.ts';
import { alignedBuffers } from '../device/aligned.ts';
import { createDigest } from './digest.ts';
import { CHUNK_BYTES, leafHash } from './tree-hash.ts';

/** Reads a device back and digests its first `sizeBytes` bytes; holes are not read. Returns lower-case hex. */
export interface DigestRequest {
  readonly device: BlockDevice;
  readonly sizeBytes: number;
  readonly onProgress: (progress: CopyProgress) => void;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
  /** As in CopyRequest. */
  readonly window?: readonly Buffer[];
}

export const digestDevice = async ({
  device,
  sizeBytes,
  onProgress,
  monotonicMs,
  signal,
  window,
}: DigestRequest): Promise<string> => {
  const digest = createDigest(sizeBytes);
  const rate = createRate(monotonicMs);
  const ordered = createOrdered<Buffer | 'zeroes'>(0, (leaf, _chunk, span) => {
    if (leaf === 'zeroes') digest.zeroes(span);
    else digest.chunk(leaf);
    const settledBytes = bytesOf(digest.chunks, sizeBytes);
    onProgress({ settledBytes, totalBytes: sizeBytes, rateBytesPerSecond: rate.add(settledBytes) });
  });
  const inFlight = createInFlight(window ?? alignedBuffers(REQUESTS_IN_FLIGHT, CHUNK_BYTES));
  onProgress({ settledBytes: 0, totalBytes: sizeBytes, rateBytesPerSecond: 0 });
  try {
    for await (const piece of pieces(device, sizeBytes, 0, signal)) {
      signal.throwIfAborted();
      if (piece.kind === 'zeroes') {
        ordered.put(piece.chunk, piece.count, 'zeroes');
        continue;
      }
      await inFlight.run(async (buffer) => {
        const memory = buffer.subarray(0, piece.lengthBytes);
        await device.read(piece.chunk * CHUNK_BYTES, memory, signal);
        ordered.put(piece.chunk, 1, isZero(memory) ? 'zeroes' : leafHash(memory));
      });
    }
  } finally {
    await inFlight.drain();
  }
  return digest.finish();
};
