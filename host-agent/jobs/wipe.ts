import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import type { RemoveInput, Wiped } from '../../domain/job/job.ts';
import { createRate } from '../copy/rate.ts';
import { throttled } from '../copy/throttled.ts';
import type { Driver } from '../drivers/contract.ts';
import type { AgentParts, JobRun } from './context.ts';

/**
 * Overwrites a thick object before it is removed, so that whoever is given its blocks next finds nothing. The zeroes are written:
 * a file system or an array that is told to zero may only take a note of it, and leave the blocks as they are.
 */
type Run = JobRun<'object.remove'>;

const PIECE_BYTES = 4 * 1024 * 1024;

/** Zeroes in a hole would take blocks of which nobody has anything, and more of them than the pool may have. */
async function* toWipe(device: BlockDevice, onlyData: boolean, signal: AbortSignal): AsyncGenerator<Extent> {
  if (!onlyData) yield { offset: 0, lengthBytes: device.sizeBytes, kind: 'data' };
  else for await (const one of device.extents(0, device.sizeBytes, signal)) if (one.kind === 'data') yield one;
}

/** A wipe that was interrupted is done again from the beginning: nothing is kept of how far it was. */
const overwrite = async (
  device: BlockDevice,
  onlyData: boolean,
  run: Run,
  monotonicMs: () => number,
): Promise<void> => {
  const totalBytes = device.sizeBytes;
  const zeroes = Buffer.alloc(Math.min(PIECE_BYTES, totalBytes));
  const rate = createRate(monotonicMs);
  const told = (settledBytes: number): void =>
    run.measured({ settledBytes, totalBytes, rateBytesPerSecond: rate.add(settledBytes) });
  told(0);
  for await (const { offset, lengthBytes } of toWipe(device, onlyData, run.signal))
    for (let at = offset; at < offset + lengthBytes; at += zeroes.length) {
      run.signal.throwIfAborted();
      const piece = zeroes.subarray(0, offset + lengthBytes - at);
      await device.write(at, piece, run.signal);
      told(at + piece.length);
    }
  await device.flush(run.signal);
  told(totalBytes);
};

/** It keeps to the host's limit, as copies do. Throws ObjectBusy of what is in use, before it has written to it. */
export const wipe = async (
  parts: Pick<AgentParts, 'hostBucket' | 'monotonicMs'>,
  driver: Driver,
  { objectName, objectId, place }: RemoveInput,
  run: Run,
): Promise<Wiped> => {
  const object = { pool: place.pool, objectName, objectId };
  const there = await driver.removable(object, run.signal);
  if (!there) return false;
  if (there.thin) return 'thin';
  const { device } = await driver.open(object, 'rw', run.signal);
  try {
    const slowed = throttled(device, [parts.hostBucket.join()]);
    await overwrite(slowed, there.onlyData === true, run, parts.monotonicMs);
  } finally {
    await device.close();
  }
  return true;
};
