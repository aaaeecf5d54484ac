import type { BlockDevice } from '../../domain/block-device.ts';
import { bytesOf, isZero } from '../copy/chunks.ts';
import { createRate } from '../copy/rate.ts';
import { scan } from '../copy/scan.ts';
import { throwIfAborted } from '../device/errors.ts';
import { createDigest } from './digest.ts';
import { CHUNK_BYTES, leafHash } from './tree-hash.ts';

/** Reads a device back and digests its first `sizeBytes` bytes; holes are not read. Returns lower-case hex. */
export interface DigestRequest {
  readonly device: BlockDevice;
  readonly sizeBytes: number;
  readonly onProgress: (progress: DigestProgress) => void;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
  /** As in CopyRequest. */
  readonly window?: readonly Buffer[];
}

export interface DigestProgress {
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
}

export const digestDevice = async (request: DigestRequest): Promise<string> => {
  const { device, sizeBytes, onProgress, monotonicMs, signal } = request;
  throwIfAborted(signal);
  const digest = createDigest(sizeBytes);
  const rate = createRate(monotonicMs);
  onProgress({ settledBytes: 0, totalBytes: sizeBytes, rateBytesPerSecond: rate.add(0) });
  await scan({
    device,
    sizeBytes,
    digest,
    async visit(piece, memory) {
      if (piece.kind === 'zeroes') return 'zeroes';
      await device.read(piece.chunk * CHUNK_BYTES, memory, signal);
      return isZero(memory) ? 'zeroes' : leafHash(memory);
    },
    onGrown() {
      const settledBytes = bytesOf(digest.chunks, sizeBytes);
      onProgress({ settledBytes, totalBytes: sizeBytes, rateBytesPerSecond: rate.add(settledBytes) });
    },
    signal,
    window: request.window,
  });
  return digest.finish();
};
