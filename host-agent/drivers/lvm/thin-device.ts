import type { BlockDevice, Extent } from '../../../domain/block-device.ts';
import type { FileDevice } from '../../device/file-device.ts';
import type { Allocation } from './allocation.ts';
import type { SpaceGuard } from './space-guard.ts';

/**
 * A thin volume: what is not mapped reads as zeroes, is a hole, and stays one when zeroes are asked for there. The kernel knows no
 * way to zero a range of it without mapping it all, and a discard promises nothing: so what is mapped is overwritten.
 */
export interface ThinDevice {
  readonly device: FileDevice;
  readonly allocation: Allocation;
  readonly guard: SpaceGuard;
  /**
   * The rest of a block is zeroed when a part of it is written first. Where it is not, a hole that was left out would turn into
   * what the block held before.
   */
  readonly zeroing: boolean;
  /** A better reason for an error of the kernel, from what the pool says of itself. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

export const thinDevice = ({ device, allocation, guard, zeroing, explain }: ThinDevice): BlockDevice => {
  const extents = async function* (offset: number, lengthBytes: number, signal?: AbortSignal): AsyncGenerator<Extent> {
    // checks the range
    const whole = device.extents(offset, lengthBytes, signal);
    const runs = await allocation.runs(offset, offset + lengthBytes, signal);
    yield* runs ?? whole;
  };
  const data = async (offset: number, lengthBytes: number, signal?: AbortSignal): Promise<readonly Extent[]> => {
    const found: Extent[] = [];
    for await (const extent of extents(offset, lengthBytes, signal)) if (extent.kind === 'data') found.push(extent);
    return found;
  };
  /** What is mapped already takes no space, so it is written also in a pool that is full. */
  const admit = async (offset: number, lengthBytes: number, signal: AbortSignal | undefined): Promise<void> => {
    const end = offset + lengthBytes;
    const asked = allocation.takesBytes(offset, end);
    if (asked === 0) return;
    try {
      await guard.admit(asked, signal);
    } catch (error) {
      // once more by what is really mapped, which is read for it
      const isKnown = await allocation.runs(offset, end, signal);
      const takes = allocation.takesBytes(offset, end);
      if (!isKnown || takes === asked) throw await explain(error);
      if (takes > 0) await guard.admit(takes, signal);
    }
  };
  const changing = async <T>(
    { offset, lengthBytes, signal }: { offset: number; lengthBytes: number; signal: AbortSignal | undefined },
    act: () => Promise<T>,
  ): Promise<T> => {
    const end = offset + lengthBytes;
    await admit(offset, lengthBytes, signal);
    allocation.touched(offset, end);
    try {
      return await act();
    } catch (error) {
      throw await explain(error);
    } finally {
      allocation.touched(offset, end);
    }
  };
  const overwrite = async (ranges: readonly Extent[], signal: AbortSignal | undefined): Promise<void> => {
    for (const range of ranges)
      await changing({ ...range, signal }, () => device.writeZeroes(range.offset, range.lengthBytes, signal));
  };

  return {
    sizeBytes: device.sizeBytes,
    blockSizeBytes: device.blockSizeBytes,
    read: (offset, target, signal) => device.read(offset, target, signal),
    write: (offset, source, signal) =>
      changing({ offset, lengthBytes: source.length, signal }, () => device.write(offset, source, signal)),
    async writeZeroes(offset, lengthBytes, signal) {
      const all: readonly Extent[] = [{ offset, lengthBytes, kind: 'data' }];
      await overwrite(zeroing ? await data(offset, lengthBytes, signal) : all, signal);
    },
    async zeroAs(offset, lengthBytes, wish, signal) {
      if (wish.allocated || !zeroing)
        return changing(
          { offset, lengthBytes, signal },
          async () => device.zeroAs?.(offset, lengthBytes, { ...wish, allocated: true }, signal) ?? false,
        );
      const ranges = await data(offset, lengthBytes, signal);
      if (wish.fast && ranges.length > 0) return false;
      await overwrite(ranges, signal);
      return true;
    },
    trim: async (offset, lengthBytes, signal) => device.trim?.(offset, lengthBytes, signal),
    async flush(signal) {
      try {
        await device.flush(signal);
      } catch (error) {
        throw await explain(error);
      }
    },
    extents,
    close: () => device.close(),
  };
};
