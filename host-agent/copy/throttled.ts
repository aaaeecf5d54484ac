import type { BlockDevice } from '../../domain/block-device.ts';
import { throwIfAborted } from '../device/errors.ts';
import { createTurns } from '../in-turn.ts';
import type { TokenBucket } from './token-bucket.ts';

/**
 * A device that is written no faster than its limits allow. A write is sent in grains, and the writes come to their turn in the
 * order of asking: so the flow is even, and the first chunk is whole before the second begins. Zeroes made there cost nothing.
 */
export const throttled = (device: BlockDevice, buckets: readonly TokenBucket[]): BlockDevice => {
  if (buckets.length === 0) return device;
  const inTurn = createTurns();
  const grainBytes = (): number => Math.min(...buckets.map((bucket) => bucket.grainBytes));

  /** Grains are under way beside each other; it resolves when all have ended, also after a failure. */
  const write = async (offset: number, source: Uint8Array, signal: AbortSignal): Promise<void> => {
    const grains: Promise<void>[] = [];
    let failure: { readonly error: unknown } | undefined;
    const send = async (at: number, end: number): Promise<void> => {
      try {
        await device.write(offset + at, source.subarray(at, end), signal);
      } catch (error) {
        failure ??= { error };
      }
    };
    try {
      await inTurn(async () => {
        for (let at = 0; at < source.length && !failure; ) {
          const end = Math.min(source.length, at + grainBytes());
          for (const bucket of buckets) await bucket.take(end - at, signal);
          throwIfAborted(signal);
          grains.push(send(at, end));
          at = end;
        }
      });
    } finally {
      await Promise.all(grains);
    }
    if (failure) throw failure.error;
  };

  return { ...device, write: (offset, source, signal) => write(offset, source, signal ?? NEVER) };
};

const NEVER = new AbortController().signal;
