import { createRate } from '../copy/rate.ts';
import type { Zeroed } from '../copy/zero-tail.ts';
import type { Measured } from '../jobs/context.ts';

/**
 * How far a copy by dd is, in bytes of the volume that are settled. dd is followed by a second read of the source for its
 * digest: then a byte counts half when dd is past it and whole when it is read again. So it never goes back, never stands
 * still at the end, and never says more than is at the destination.
 */
export interface DdProgress {
  copied(bytes: number): void;
  digested(bytes: number): void;
  /** The end of a destination that is larger than the volume. */
  zeroed(zeroing: Zeroed): void;
  /** Nothing moves, by intent. */
  rests(): void;
}

export interface DdProgressDeps {
  readonly sizeBytes: number;
  readonly digest: boolean;
  readonly monotonicMs: () => number;
  readonly onMeasured: (measured: Measured) => void;
}

export const createDdProgress = ({ sizeBytes, digest, monotonicMs, onMeasured }: DdProgressDeps): DdProgress => {
  const rate = createRate(monotonicMs);
  const tailRate = createRate(monotonicMs);
  let copiedBytes = 0;
  let digestedBytes = 0;
  const settledBytes = (): number => (digest ? Math.floor((copiedBytes + digestedBytes) / 2) : copiedBytes);
  const tell = (rateBytesPerSecond: number, at: Pick<Measured, 'activity' | 'zeroing'> = {}): void =>
    onMeasured({ settledBytes: settledBytes(), totalBytes: sizeBytes, rateBytesPerSecond, ...at });
  return {
    copied(bytes) {
      copiedBytes = bytes;
      tell(rate.add(settledBytes()));
    },
    digested(bytes) {
      digestedBytes = bytes;
      tell(rate.add(settledBytes()));
    },
    zeroed(zeroing) {
      tell(tailRate.add(zeroing.doneBytes), { activity: 'zeroing', zeroing });
    },
    rests() {
      rate.rest();
      tell(0, { activity: 'paused' });
    },
  };
};
