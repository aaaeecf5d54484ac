import type { BlockDevice } from '../../domain/block-device.ts';
import { bytesOf, isZero } from '../copy/chunks.ts';
import { createPausing } from '../copy/pausing.ts';
import { createRate } from '../copy/rate.ts';
import { scan } from '../copy/scan.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import { createDigest } from './digest.ts';
import { type LeafSink, recorded } from './recorded.ts';
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
  /** As in CopyRequest. */
  readonly leaves?: LeafSink;
  /** As in CopyRequest; without it, it never pauses. */
  readonly whilePaused?: (signal: AbortSignal) => Promise<void> | undefined;
}

export interface DigestProgress {
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
  /** Undefined: it reads. */
  readonly activity?: 'paused';
}

export const digestDevice = async (request: DigestRequest): Promise<string> => {
  const { device, sizeBytes, onProgress, monotonicMs, signal } = request;
  throwIfAborted(signal);
  if (device.sizeBytes < sizeBytes)
    throw new DataPathError('ShortRead', `the device has ${device.sizeBytes} bytes, ${sizeBytes} are wanted`);
  const digest = request.leaves ? recorded(createDigest(sizeBytes), request.leaves) : createDigest(sizeBytes);
  const settledBytes = (): number => bytesOf(digest.chunks, sizeBytes);
  const rate = createRate(monotonicMs);
  const progress = (rateBytesPerSecond: number, at: Pick<DigestProgress, 'activity'> = {}): void =>
    onProgress({ settledBytes: settledBytes(), totalBytes: sizeBytes, rateBytesPerSecond, ...at });
  const holdIfPaused = createPausing({
    whilePaused: request.whilePaused ?? (() => undefined),
    onPause() {
      rate.rest();
      progress(0, { activity: 'paused' });
    },
    onResume: () => progress(rate.add(settledBytes())),
    signal,
  });
  progress(rate.add(0));
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
      progress(rate.add(settledBytes()));
    },
    before: (inFlight) => holdIfPaused(() => inFlight.idle()),
    signal,
    window: request.window,
  });
  return digest.finish();
};
