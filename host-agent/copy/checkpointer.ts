import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError, throwIfAborted } from '../device/errors.ts';
import type { Checkpoint } from './checkpoint.ts';

/**
 * Makes checkpoints: the mark is taken first, then the destination is flushed, then the mark is handed out. So it names only
 * writes that were answered before a flush that succeeded. One at a time; a flush that failed is not tried again.
 */
export interface Checkpointer {
  /** Enough has been settled, or enough time has gone by, and none is being made. */
  readonly due: boolean;
  /** Makes one now. False, and no flush, when nothing was settled since the last. */
  make(): Promise<boolean>;
}

export interface CheckpointerDeps {
  readonly destination: BlockDevice;
  readonly settledBytes: () => number;
  /** What a crash would make the copy do again: bytes that were read, ever growing. Holes are no work. */
  readonly workBytes: () => number;
  /** How far the copy is now. */
  readonly mark: () => Checkpoint;
  readonly keep: (checkpoint: Checkpoint) => Promise<void>;
  readonly monotonicMs: () => number;
  readonly signal: AbortSignal;
}

const INTERVAL_BYTES = 64 * 1024 * 1024;
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
  const { destination, settledBytes, workBytes, mark, keep, monotonicMs, signal } = deps;
  let keptBytes = settledBytes();
  let workAtMark = workBytes();
  let keptAtMs = monotonicMs();
  /** Stays true after a failure: nothing is flushed again. */
  let making = false;
  return {
    get due() {
      if (making) return false;
      if (settledBytes() === keptBytes) return false;
      return workBytes() - workAtMark >= INTERVAL_BYTES || monotonicMs() - keptAtMs >= INTERVAL_MS;
    },
    async make() {
      const checkpoint = mark();
      if (checkpoint.settledBytes === keptBytes) return false;
      making = true;
      workAtMark = workBytes();
      await flushed(destination, signal);
      await keep(checkpoint);
      keptBytes = checkpoint.settledBytes;
      keptAtMs = monotonicMs();
      making = false;
      return true;
    },
  };
};
