import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import { CHUNK_BYTES } from '../digest/tree-hash.ts';
import type { Checkpoint } from './checkpoint.ts';

/**
 * Makes checkpoints: the mark is taken first, then the destination is flushed, then the mark is handed out. So it names only
 * writes that were answered before a flush that succeeded. One at a time; a flush that failed is not tried again.
 */
export interface Checkpointer {
  /** Enough has been settled, or enough time has gone by, and none is being made. */
  readonly due: boolean;
  /** With one more chunk a crash would cost more than an interval: nothing may begin before the next one is kept. */
  readonly full: boolean;
  /** Makes one now. False, and no flush, when nothing was settled since the last. */
  make(): Promise<boolean>;
}

export interface CheckpointerDeps {
  readonly destination: BlockDevice;
  readonly settledBytes: () => number;
  /** Bytes that are being read or were, ever growing: what a crash would make the copy do again. Holes are no work. */
  readonly workBytes: () => number;
  /** Of them, those that a checkpoint made now would name. */
  readonly settledWorkBytes: () => number;
  /** How far the copy is now. */
  readonly mark: () => Checkpoint;
  readonly keep: (checkpoint: Checkpoint) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
}

/** No crash makes a copy do more than this again. */
const INTERVAL_BYTES = 64 * CHUNK_BYTES;
/** The rest is for the copy to go on with while the flush takes its time. */
const DUE_BYTES = (INTERVAL_BYTES / 4) * 3;
const INTERVAL_MS = 5_000;

/** Whatever a device throws: what it had accepted may be lost. A lost connection stays one, because that is tried again. */
export const flushed = async (destination: BlockDevice, signal: AbortSignal): Promise<void> => {
  try {
    await destination.flush(signal);
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof DataPathError && error.code !== 'IoError' && error.code !== 'NoSpace') throw error;
    throw new DataPathError('FlushFailed', `the destination: ${(error as Error).message}`, { cause: error });
  }
};

export const createCheckpointer = (deps: CheckpointerDeps): Checkpointer => {
  const { destination, settledBytes, workBytes, settledWorkBytes, mark, keep, monotonicMs, signal } = deps;
  let keptBytes = settledBytes();
  let workAtMark = settledWorkBytes();
  let keptWork = workAtMark;
  let keptAtMs = monotonicMs();
  /** Stays true after a failure: nothing is flushed again. */
  let making = false;
  return {
    get due() {
      if (making) return false;
      if (settledBytes() === keptBytes) return false;
      return settledWorkBytes() - workAtMark >= DUE_BYTES || monotonicMs() - keptAtMs >= INTERVAL_MS;
    },
    get full() {
      return workBytes() + CHUNK_BYTES - keptWork > INTERVAL_BYTES;
    },
    async make() {
      const checkpoint = mark();
      if (checkpoint.settledBytes === keptBytes) return false;
      making = true;
      workAtMark = settledWorkBytes();
      await flushed(destination, signal);
      await keep(checkpoint);
      keptBytes = checkpoint.settledBytes;
      keptWork = workAtMark;
      keptAtMs = monotonicMs();
      making = false;
      return true;
    },
  };
};
