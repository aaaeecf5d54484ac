import type { BlockDevice } from '../../domain/block-device.ts';
import { chunkCount, chunkLength } from '../digest/digest.ts';
import { CHUNK_BYTES } from '../digest/tree-hash.ts';

/** A device seen in chunks of the digest: runs of chunks without any data, and single chunks with some. */
export type Piece =
  | { readonly kind: 'zeroes'; readonly chunk: number; readonly count: number }
  | { readonly kind: 'data'; readonly chunk: number; readonly lengthBytes: number };

/** Pieces of [fromChunk, end) of the first `sizeBytes` bytes, in address order, made as they are asked for. */
export async function* pieces(
  device: BlockDevice,
  sizeBytes: number,
  fromChunk: number,
  signal?: AbortSignal,
): AsyncGenerator<Piece> {
  const total = chunkCount(sizeBytes);
  let next = fromChunk;
  const from = fromChunk * CHUNK_BYTES;
  if (from >= sizeBytes) return;
  for await (const extent of device.extents(from, sizeBytes - from, signal)) {
    if (extent.kind === 'hole') continue;
    const first = Math.max(next, Math.floor(extent.offset / CHUNK_BYTES));
    const last = Math.min(total, Math.ceil((extent.offset + extent.lengthBytes) / CHUNK_BYTES));
    if (first > next) yield { kind: 'zeroes', chunk: next, count: first - next };
    for (let chunk = first; chunk < last; chunk++)
      yield { kind: 'data', chunk, lengthBytes: chunkLength(sizeBytes, chunk) };
    next = Math.max(next, last);
  }
  if (next < total) yield { kind: 'zeroes', chunk: next, count: total - next };
}

const ZERO_CHUNK = Buffer.alloc(CHUNK_BYTES);

export const isZero = (bytes: Uint8Array): boolean => ZERO_CHUNK.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;

/** Bytes of the first `chunks` chunks of a volume of `sizeBytes`. */
export const bytesOf = (chunks: number, sizeBytes: number): number => Math.min(chunks * CHUNK_BYTES, sizeBytes);
