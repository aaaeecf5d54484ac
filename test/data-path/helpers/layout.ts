import fc from 'fast-check';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';
import { type MemoryDevice, memoryDevice } from './memory-device.ts';

/** What a sparse volume looks like: a size, and runs of data or of written zeroes in it. The rest are holes. */
export interface Layout {
  readonly sizeBytes: number;
  readonly runs: readonly Run[];
}

interface Run {
  readonly at: number;
  readonly lengthBytes: number;
  /** 0: zeroes that were written. */
  readonly byte: number;
}

const SECTOR_BYTES = 512;
const MAX_CHUNKS = 6;

const sizes = fc.oneof(
  fc.integer({ min: 1, max: MAX_CHUNKS }).map((chunks) => chunks * CHUNK_BYTES),
  fc.integer({ min: 1, max: (MAX_CHUNKS * CHUNK_BYTES) / SECTOR_BYTES }).map((sectors) => sectors * SECTOR_BYTES),
);

const runIn = (sizeBytes: number): fc.Arbitrary<Run> =>
  fc
    .record({
      at: fc.nat({ max: sizeBytes - 1 }),
      lengthBytes: fc.integer({ min: 1, max: 2 * CHUNK_BYTES }),
      byte: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 255 })),
    })
    .map((run) => ({ ...run, lengthBytes: Math.min(run.lengthBytes, sizeBytes - run.at) }));

export const layouts: fc.Arbitrary<Layout> = sizes.chain((sizeBytes) =>
  fc.record({ sizeBytes: fc.constant(sizeBytes), runs: fc.array(runIn(sizeBytes), { maxLength: 6 }) }),
);

/** Data that differs from place to place, so that a block at the wrong address is seen. */
export const bytesOfRun = ({ at, lengthBytes, byte }: Run): Buffer => {
  const bytes = Buffer.alloc(lengthBytes, byte);
  if (byte === 0) return bytes;
  for (let i = 0; i + 8 < lengthBytes; i += SECTOR_BYTES) bytes.writeUInt32LE((at + i) >>> 0, i);
  return bytes;
};

export const deviceWith = async ({ sizeBytes, runs }: Layout): Promise<MemoryDevice> => {
  const device = memoryDevice(sizeBytes);
  for (const run of runs) await device.write(run.at, bytesOfRun(run));
  await device.flush();
  return device;
};
