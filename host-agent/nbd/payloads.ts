/**
 * Buffers for the payloads of a server's connections. Taken and given back, so that a long copy runs in the memory of its
 * window instead of leaving a megabyte to the garbage collector with every request.
 */
export interface Payloads {
  take(lengthBytes: number): Buffer;
  giveBack(buffer: Buffer): void;
}

const MAX_KEPT = 16;
const KEPT_BYTES = 1024 * 1024;

export const createPayloads = (): Payloads => {
  const free: Buffer[] = [];
  return {
    take: (lengthBytes) =>
      lengthBytes <= KEPT_BYTES
        ? (free.pop() ?? Buffer.allocUnsafeSlow(KEPT_BYTES)).subarray(0, lengthBytes)
        : Buffer.allocUnsafeSlow(lengthBytes),
    giveBack(buffer) {
      if (buffer.buffer.byteLength === KEPT_BYTES && free.length < MAX_KEPT) free.push(Buffer.from(buffer.buffer));
    },
  };
};
