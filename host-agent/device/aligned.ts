/**
 * Buffers that O_DIRECT takes. A plain Buffer starts anywhere; WebAssembly memory starts at a page (64 KiB), so slices of it
 * at multiples of the alignment are aligned (measured). Each memory reserves 8 GiB of addresses, though no memory before it is
 * touched, so they are made for a whole window of requests at once.
 */
export const ALIGNMENT_BYTES = 4096;
const WASM_PAGE_BYTES = 65_536;

const memories = new WeakSet<ArrayBufferLike>();

export const isAligned = (buffer: Uint8Array): boolean =>
  memories.has(buffer.buffer) && buffer.byteOffset % ALIGNMENT_BYTES === 0;

/** `count` aligned buffers of `sizeBytes` each, which must be a multiple of the alignment. */
export const alignedBuffers = (count: number, sizeBytes: number): Buffer[] => {
  if (sizeBytes % ALIGNMENT_BYTES !== 0) throw new RangeError(`${sizeBytes} is no multiple of ${ALIGNMENT_BYTES}`);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((count * sizeBytes) / WASM_PAGE_BYTES) });
  memories.add(memory.buffer);
  return Array.from({ length: count }, (_, i) => Buffer.from(memory.buffer, i * sizeBytes, sizeBytes));
};
