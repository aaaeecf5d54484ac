import { alignedBuffers, isAligned } from '../device/aligned.ts';

/**
 * Buffers for the payloads of a server's connections: aligned, so that a device may write them past the page cache, and taken
 * and given back, so that a long copy runs in the memory of its window instead of leaving a megabyte behind with every request.
 */
export interface Payloads {
  take(lengthBytes: number): Buffer;
  giveBack(buffer: Buffer): void;
}

const KEPT_BYTES = 1024 * 1024;
const MADE_AT_ONCE = 8;
const MAX_KEPT = 16;

export const createPayloads = (): Payloads => {
  const free: Buffer[] = [];
  const kept = (): Buffer => {
    if (free.length === 0) free.push(...alignedBuffers(MADE_AT_ONCE, KEPT_BYTES));
    return free.pop() as Buffer;
  };
  return {
    take: (lengthBytes) =>
      lengthBytes <= KEPT_BYTES ? kept().subarray(0, lengthBytes) : Buffer.allocUnsafeSlow(lengthBytes),
    giveBack(buffer) {
      if (isAligned(buffer) && free.length < MAX_KEPT)
        free.push(Buffer.from(buffer.buffer, buffer.byteOffset, KEPT_BYTES));
    },
  };
};
