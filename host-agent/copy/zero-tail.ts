import type { BlockDevice } from '../../domain/block-device.ts';
import { throwIfAborted } from '../device/errors.ts';

/** Whoever gets the larger object must not find another volume's bytes behind the end of this one. */
export interface ZeroTail {
  readonly destination: BlockDevice;
  /** Of the volume: the tail begins here. */
  readonly sizeBytes: number;
  readonly destinationIsZero: boolean;
  readonly signal: AbortSignal;
  /** Awaited before each piece. */
  readonly before?: () => Promise<void>;
  /** Bytes of the tail, not of the volume; called first with 0. */
  readonly onZeroed?: (zeroed: Zeroed) => void;
}

export interface Zeroed {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** So small that also storage which has to write the zeroes shows that it is alive. */
const PIECE_BYTES = 16 * 1024 * 1024;

export const zeroTail = async (request: ZeroTail): Promise<void> => {
  const { destination, sizeBytes, destinationIsZero, signal, before, onZeroed } = request;
  const totalBytes = destination.sizeBytes - sizeBytes;
  if (destinationIsZero || totalBytes <= 0) return;
  onZeroed?.({ doneBytes: 0, totalBytes });
  for (let at = sizeBytes; at < destination.sizeBytes; at += PIECE_BYTES) {
    await before?.();
    throwIfAborted(signal);
    const bytes = Math.min(PIECE_BYTES, destination.sizeBytes - at);
    await destination.writeZeroes(at, bytes, signal);
    onZeroed?.({ doneBytes: at + bytes - sizeBytes, totalBytes });
  }
};
