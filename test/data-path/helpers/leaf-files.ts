import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { openFileDevice } from '../../../host-agent/device/file-device.ts';
import { createDigest } from '../../../host-agent/digest/digest.ts';
import { beginLeafFile } from '../../../host-agent/digest/leaf-file.ts';
import { CHUNK_BYTES, chunkCount } from '../../../host-agent/digest/tree-hash.ts';

/** Volumes known by their leaves alone, so that thousands of chunks cost no data. A chunk that is not named is zeroes. */
export interface Leaves {
  readonly sizeBytes: number;
  readonly data: ReadonlyMap<number, Buffer>;
}

export const someLeaf = (n: number): Buffer => createHash('sha256').update(String(n)).digest();

const MAX_CHUNKS = 5_000;

export const leavesOf: fc.Arbitrary<Leaves> = fc
  .tuple(fc.integer({ min: 1, max: MAX_CHUNKS }), fc.constantFrom(0, 512, CHUNK_BYTES - 1), fc.integer(), fc.nat(3))
  .chain(([chunks, missingBytes, seed, density]) => {
    const sizeBytes = chunks * CHUNK_BYTES - missingBytes;
    const runs = fc.array(fc.tuple(fc.nat(chunks - 1), fc.integer({ min: 1, max: 300 })), { maxLength: 2 * density });
    return runs.map((some) => {
      const data = new Map<number, Buffer>();
      for (const [first, count] of some)
        for (let chunk = first; chunk < Math.min(chunks, first + count); chunk++)
          data.set(chunk, someLeaf(seed + chunk));
      return { sizeBytes, data };
    });
  });

export const rootOf = ({ sizeBytes, data }: Leaves): string => {
  const digest = createDigest(sizeBytes);
  for (let chunk = 0; chunk < chunkCount(sizeBytes); chunk++) {
    const leaf = data.get(chunk);
    if (leaf) digest.chunk(leaf);
    else digest.zeroes(1);
  }
  return digest.finish();
};

let serial = 0;

/** A leaf file as a copy leaves it. */
export const leafFile = async (directory: string, { sizeBytes, data }: Leaves): Promise<BlockDevice> => {
  const path = join(directory, `leaves-${serial++}`);
  const file = await beginLeafFile(path, sizeBytes, 0);
  let at = 0;
  for (const chunk of [...data.keys()].sort((a, b) => a - b)) {
    if (chunk > at) file.zeroes(chunk - at);
    file.chunk(data.get(chunk) as Buffer);
    at = chunk + 1;
  }
  if (at < chunkCount(sizeBytes)) file.zeroes(chunkCount(sizeBytes) - at);
  await file.close();
  const device = await openFileDevice(path, { mode: 'ro' });
  onTestFinished(() => device.close());
  return device;
};
