import type { BlockDevice } from '../../domain/block-device.ts';
import { CHUNK_BYTES, chunkCount, HASH_BYTES } from '../digest/tree-hash.ts';
import { zeroNodes } from '../digest/tree-layout.ts';
import { bytesOf, type Piece } from './chunks.ts';
import type { Content } from './scan.ts';

/**
 * A copy onto a destination that holds most of it already: the destination's leaf hashes are asked for ahead of the source's
 * reads, and only what differs is written.
 */
export interface Comparison {
  /** What the destination has there. Called as each piece begins, roughly in address order. */
  begin(piece: Piece): Promise<Buffer>;
  /** Runs of bytes of the piece that differ; a piece of data is taken whole. */
  differing(piece: Piece, content: Content, theirs: Buffer): { readonly from: number; readonly end: number }[];
}

/** Leaf hashes of `count` chunks from `first`, HASH_BYTES each. */
export type LeafReader = (first: number, count: number, signal: AbortSignal) => Promise<Buffer>;

export interface ComparisonDeps {
  readonly leaves: LeafReader;
  readonly sizeBytes: number;
  /** Hears of each run of chunks that differs, in any order. */
  readonly onDifference: (first: number, count: number) => void;
  readonly signal: AbortSignal;
}

/** A device of hashes (digest/tree-device.ts), a connection to a peer's for example: its leaves come first. */
export const leafReaderOf =
  (device: BlockDevice): LeafReader =>
  async (first, count, signal) => {
    const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
    await device.read(first * HASH_BYTES, hashes, signal);
    return hashes;
  };

const BATCH_CHUNKS = 32;
/** Batches that the destination reads and hashes while the source is being read. */
const AHEAD = 3;

export const createComparison = ({ leaves, sizeBytes, onDifference, signal }: ComparisonDeps): Comparison => {
  const total = chunkCount(sizeBytes);
  const zero = zeroNodes(sizeBytes);
  const batches = new Map<number, Promise<Buffer>>();

  const ask = (batch: number): Promise<Buffer> => {
    const first = batch * BATCH_CHUNKS;
    const asked = leaves(first, Math.min(BATCH_CHUNKS, total - first), signal);
    // one that was asked for ahead may fail before anybody waits for it; whoever does hears of it
    asked.catch(() => undefined);
    batches.set(batch, asked);
    return asked;
  };

  const leavesFrom = async (chunk: number, count: number): Promise<Buffer> => {
    const firstBatch = Math.floor(chunk / BATCH_CHUNKS);
    const lastBatch = Math.floor((chunk + count - 1) / BATCH_CHUNKS);
    for (const old of batches.keys()) if (old < firstBatch) batches.delete(old);
    const wanted: Promise<Buffer>[] = [];
    for (let batch = firstBatch; batch <= lastBatch; batch++) wanted.push(batches.get(batch) ?? ask(batch));
    for (let batch = lastBatch + 1; batch <= lastBatch + AHEAD && batch * BATCH_CHUNKS < total; batch++)
      if (!batches.has(batch)) void ask(batch);
    const all = Buffer.concat(await Promise.all(wanted));
    const skip = (chunk - firstBatch * BATCH_CHUNKS) * HASH_BYTES;
    return all.subarray(skip, skip + count * HASH_BYTES);
  };

  return {
    begin(piece) {
      const count = piece.kind === 'data' ? 1 : piece.count;
      const theirs = count > BATCH_CHUNKS ? leaves(piece.chunk, count, signal) : leavesFrom(piece.chunk, count);
      theirs.catch(() => undefined);
      return theirs;
    },
    differing(piece, content, theirs) {
      const runs: { from: number; end: number }[] = [];
      let first: number | undefined;
      const until = (chunk: number): void => {
        if (first === undefined) return;
        onDifference(first, chunk - first);
        runs.push({ from: first * CHUNK_BYTES, end: bytesOf(chunk, sizeBytes) });
        first = undefined;
      };
      const count = piece.kind === 'data' ? 1 : piece.count;
      for (let i = 0; i < count; i++) {
        const chunk = piece.chunk + i;
        const ours = content === 'zeroes' ? zero(0, chunk) : content;
        if (ours.equals(theirs.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))) until(chunk);
        else first ??= chunk;
      }
      until(piece.chunk + count);
      return runs;
    },
  };
};
