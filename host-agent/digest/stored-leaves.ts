import type { BlockDevice } from '../../domain/block-device.ts';
import { isZero } from '../copy/chunks.ts';
import { createInFlight } from '../copy/in-flight.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import { DataPathError } from '../device/errors.ts';
import { createTurns } from '../in-turn.ts';
import { CHUNK_BYTES, chunkCount, chunkLength, HASH_BYTES, leafHash } from './tree-hash.ts';
import { type NodeReader, zeroNodes } from './tree-layout.ts';

/**
 * Leaf hashes of what a device holds at the moment of asking: its chunks are read and hashed, several at once, its holes are
 * not. There are no levels above: they would take reading everything.
 */
export const storedLeaves = (device: BlockDevice, sizeBytes: number, buffers: BufferPool): NodeReader => {
  const zero = zeroNodes(sizeBytes);
  /** One asking after the other, so that whoever asks much at once takes up no more than one window. */
  const inTurn = createTurns();

  const hashChunk = async (chunk: number, buffer: Buffer, signal: AbortSignal | undefined): Promise<Buffer> => {
    const memory = buffer.subarray(0, chunkLength(sizeBytes, chunk));
    await device.read(chunk * CHUNK_BYTES, memory, signal);
    return isZero(memory) ? zero(0, chunk) : leafHash(memory);
  };

  const read = async (first: number, count: number, signal: AbortSignal | undefined): Promise<Buffer> => {
    const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
    for (let i = 0; i < count; i++) hashes.set(zero(0, first + i), i * HASH_BYTES);
    const from = first * CHUNK_BYTES;
    const lengthBytes = Math.min((first + count) * CHUNK_BYTES, sizeBytes) - from;
    await buffers.lend(async (window) => {
      const inFlight = createInFlight(window);
      try {
        let next = first;
        for await (const extent of device.extents(from, lengthBytes, signal)) {
          if (extent.kind === 'hole') continue;
          const end = Math.ceil((extent.offset + extent.lengthBytes) / CHUNK_BYTES);
          for (next = Math.max(next, Math.floor(extent.offset / CHUNK_BYTES)); next < end; next++) {
            const chunk = next;
            await inFlight.run(async (buffer) => {
              hashes.set(await hashChunk(chunk, buffer, signal), (chunk - first) * HASH_BYTES);
            });
          }
        }
      } finally {
        await inFlight.drain();
      }
    });
    return hashes;
  };

  return {
    sizeBytes,
    async nodes(level, first, count, signal) {
      if (level !== 0 || first + count > chunkCount(sizeBytes))
        throw new DataPathError('OutOfRange', `no ${count} nodes at ${first} of level ${level}`);
      return inTurn(() => read(first, count, signal));
    },
  };
};
