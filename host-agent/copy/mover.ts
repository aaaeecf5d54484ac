import type { BlockDevice } from '../../domain/block-device.ts';
import { throwIfAborted } from '../device/errors.ts';
import { NO_LEAF } from '../digest/no-digest.ts';
import { CHUNK_BYTES, leafHash } from '../digest/tree-hash.ts';
import { bytesOf, type Piece } from './chunks.ts';
import type { Comparison } from './comparison.ts';
import type { Content } from './scan.ts';
import { runsOf } from './zeroes.ts';

/**
 * Moves one piece of the volume. Zeroes are not sent to a destination that has them, be they holes or found by reading; any
 * other destination is told to make them, which keeps it thin too.
 */
export interface Mover {
  move(piece: Piece, memory: Buffer): Promise<Content>;
  readonly bytes: MovedBytes;
}

export interface MovedBytes {
  readonly read: number;
  readonly written: number;
  /** Settled as zeroes, holes included. */
  readonly zeroes: number;
  /** Of them, what was never read because the source has nothing there. */
  readonly holes: number;
}

export interface MoverDeps {
  readonly source: BlockDevice;
  readonly destination: BlockDevice;
  readonly sizeBytes: number;
  readonly destinationIsZero: boolean;
  /** False: leaf hashes are not computed. */
  readonly digest: boolean;
  /** Undefined: everything is written. */
  readonly comparison?: Comparison | undefined;
  readonly signal: AbortSignal;
}

export const createMover = (deps: MoverDeps): Mover => {
  const { source, destination, sizeBytes, destinationIsZero, comparison, signal } = deps;
  const leafOf = deps.digest ? leafHash : () => NO_LEAF;
  const bytes = { read: 0, written: 0, zeroes: 0, holes: 0 };

  const zero = async (from: number, end: number): Promise<void> => {
    if (!destinationIsZero) await destination.writeZeroes(from, end - from, signal);
    bytes.zeroes += end - from;
  };
  const write = async (from: number, memory: Buffer): Promise<void> => {
    throwIfAborted(signal);
    await destination.write(from, memory, signal);
    bytes.written += memory.length;
  };

  return {
    bytes,
    async move(piece, memory) {
      const from = piece.chunk * CHUNK_BYTES;
      const theirs = comparison?.begin(piece);
      if (piece.kind === 'zeroes') {
        const end = bytesOf(piece.chunk + piece.count, sizeBytes);
        const differing = theirs ? comparison?.differing(piece, 'zeroes', await theirs) : undefined;
        for (const run of differing ?? [{ from, end }]) await zero(run.from, run.end);
        bytes.holes += end - from;
        return 'zeroes';
      }
      await source.read(from, memory, signal);
      bytes.read += memory.length;
      const runs = runsOf(memory);
      const content = runs.some((run) => !run.zero) ? leafOf(memory) : 'zeroes';
      if (theirs && comparison?.differing(piece, content, await theirs).length === 0) return content;
      for (const run of runs) {
        if (run.zero) await zero(from + run.from, from + run.end);
        else await write(from + run.from, memory.subarray(run.from, run.end));
      }
      return content;
    },
  };
};
