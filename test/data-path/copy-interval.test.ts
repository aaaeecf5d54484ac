import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { copying } from './helpers/copying.ts';
import { endless } from './helpers/endless.ts';

const INTERVAL_BYTES = 64 * CHUNK_BYTES;
const SIZE_BYTES = 320 * CHUNK_BYTES;

/** Counts what is written since what the last kept checkpoint names: a crash right then would make the copy do it again. */
const watched = (flushTurns: number, writeTurns: (chunk: number) => number = () => 0) => {
  const seen = { mostLostBytes: 0, flushes: 0 };
  let keptBytes = 0;
  let writtenBytes = 0;
  const destination: BlockDevice = {
    ...endless(SIZE_BYTES),
    async write(offset, source) {
      writtenBytes += source.length;
      seen.mostLostBytes = Math.max(seen.mostLostBytes, writtenBytes - keptBytes);
      for (let left = writeTurns(offset / CHUNK_BYTES); left > 0; left--) await setImmediate();
    },
    async flush() {
      seen.flushes += 1;
      for (let left = flushTurns; left > 0; left--) await setImmediate();
    },
  };
  const copy = () =>
    copying(endless(SIZE_BYTES), destination, {
      monotonicMs: () => 0,
      onCheckpoint: async ({ settledBytes }) => {
        keptBytes = settledBytes;
      },
    }).copied;
  return { seen, copy };
};

describe('what a crash makes a copy do twice', () => {
  it.each([0, 50, 2_000])('is at most 64 MiB at any moment, though a flush takes %i turns', async (flushTurns) => {
    const { seen, copy } = watched(flushTurns);

    await copy();

    expect(seen.mostLostBytes).toBeLessThanOrEqual(INTERVAL_BYTES);
    expect(seen.mostLostBytes).toBeGreaterThan(INTERVAL_BYTES / 4);
  });

  it('is at most 64 MiB, though one write takes so long that many others go by', async () => {
    const { seen, copy } = watched(20, (chunk) => (chunk === 10 ? 3_000 : 0));

    await copy();

    expect(seen.mostLostBytes).toBeLessThanOrEqual(INTERVAL_BYTES);
  });

  it('costs no more than a checkpoint for each quarter of it', async () => {
    const { seen, copy } = watched(1);

    await copy();

    expect(seen.flushes).toBeLessThanOrEqual(SIZE_BYTES / (INTERVAL_BYTES / 4) + 1);
  });
});
