import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFileDevice } from '../../host-agent/device/file-device.ts';
import { differingChunks, VoidTree } from '../../host-agent/digest/descent.ts';
import { createDifferences } from '../../host-agent/digest/differences.ts';
import { createDigest } from '../../host-agent/digest/digest.ts';
import { beginLeafFile } from '../../host-agent/digest/leaf-file.ts';
import { treeOf } from '../../host-agent/digest/tree.ts';
import { nodesDevice, nodesOf } from '../../host-agent/digest/tree-device.ts';
import { CHUNK_BYTES, chunkCount, HASH_BYTES, nodeHash, zeroLeaf } from '../../host-agent/digest/tree-hash.ts';
import { levelOffsets, type NodeReader } from '../../host-agent/digest/tree-layout.ts';
import { type Leaves, leafFile, leavesOf, rootOf, someLeaf } from './helpers/leaf-files.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';

const RUNS = { numRuns: 30 };

/** Every level from its definition, with no shortcut. */
const wholeTree = ({ sizeBytes, data }: Leaves): Buffer => {
  const chunks = chunkCount(sizeBytes);
  const lengthOf = (chunk: number): number => Math.min(CHUNK_BYTES, sizeBytes - chunk * CHUNK_BYTES);
  let level = Array.from({ length: chunks }, (_, chunk) => data.get(chunk) ?? zeroLeaf(lengthOf(chunk)));
  const all = [...level];
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i] as Buffer, level[i + 1]];
      above.push(right ? nodeHash(left, right) : left);
    }
    all.push(...above);
    level = above;
  }
  return Buffer.concat(all);
};

const collected = async (ranges: AsyncIterable<{ first: number; count: number }>): Promise<number[]> => {
  const chunks: number[] = [];
  for await (const { first, count } of ranges) for (let i = 0; i < count; i++) chunks.push(first + i);
  return chunks;
};

const changed = (leaves: Leaves, chunks: readonly number[]): Leaves => {
  const data = new Map(leaves.data);
  for (const chunk of chunks)
    if (data.has(chunk) && chunk % 3 === 0) data.delete(chunk);
    else data.set(chunk, someLeaf(-1 - chunk));
  return { ...leaves, data };
};

describe('the tree over a leaf file', () => {
  it('has the root that the digest of the same leaves has', async () => {
    const directory = await tempDir();
    await fc.assert(
      fc.asyncProperty(leavesOf, async (leaves) => {
        const tree = treeOf(await leafFile(directory, leaves), leaves.sizeBytes);

        expect(await tree.digest()).toBe(rootOf(leaves));
      }),
      RUNS,
    );
  });

  it('as a device holds the leaves, and each level above them, at whatever bytes a client reads', async () => {
    const directory = await tempDir();
    const places = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(9_000));
    await fc.assert(
      fc.asyncProperty(leavesOf, fc.array(places, { maxLength: 5 }), async (leaves, reads) => {
        const whole = wholeTree(leaves);
        const device = nodesDevice(treeOf(await leafFile(directory, leaves), leaves.sizeBytes), 'all');

        expect(device.sizeBytes).toBe(whole.length);
        for (const [where, length] of [[0, whole.length] as const, ...reads]) {
          const offset = Math.floor(where * (whole.length - 1));
          const read = Buffer.alloc(Math.min(length, whole.length - offset));
          await device.read(offset, read);
          expect(read.equals(whole.subarray(offset, offset + read.length))).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('can only be read, and only within its end', async () => {
    const device = nodesDevice(treeOf(await leafFile(await tempDir(), { sizeBytes: 1, data: new Map() }), 1), 'all');

    expect(await thrownBy(device.write(0, Buffer.alloc(1)))).toMatchObject({ code: 'OutOfRange' });
    expect(await thrownBy(device.writeZeroes(0, 1))).toMatchObject({ code: 'OutOfRange' });
    expect(await thrownBy(device.read(1, Buffer.alloc(HASH_BYTES)))).toMatchObject({ code: 'OutOfRange' });
  });

  it('of 64 TiB of holes takes no space and no time', async () => {
    const path = join(await tempDir(), 'leaves');
    const sizeBytes = 64 * 1024 ** 4;
    const file = await beginLeafFile(path, sizeBytes, 0);
    file.zeroes(chunkCount(sizeBytes));
    await file.close();
    const device = await openFileDevice(path, { mode: 'ro' });

    const digest = await treeOf(device, sizeBytes).digest();
    const { blocks } = await stat(path);
    await device.close();

    expect(blocks).toBe(0);
    expect(digest).toBe(rootOfNothing(sizeBytes));
  });
});

const rootOfNothing = (sizeBytes: number): string => {
  const digest = createDigest(sizeBytes);
  digest.zeroes(chunkCount(sizeBytes));
  return digest.finish();
};

describe('a leaf file that goes on at a checkpoint', () => {
  it('drops what an earlier try has left behind it, and has the root of the whole', async () => {
    const directory = await tempDir();
    const path = join(directory, 'leaves');
    const sizeBytes = 10 * CHUNK_BYTES;
    const first = await beginLeafFile(path, sizeBytes, 0);
    for (let chunk = 0; chunk < 8; chunk++) first.chunk(someLeaf(chunk));
    await first.handedOver();
    await first.close();

    const second = await beginLeafFile(path, sizeBytes, 4);
    second.zeroes(5);
    second.chunk(someLeaf(9));
    await second.close();

    const device = await openFileDevice(path, { mode: 'ro' });
    const data = new Map([0, 1, 2, 3, 9].map((chunk) => [chunk, someLeaf(chunk)]));
    expect(await treeOf(device, sizeBytes).digest()).toBe(rootOf({ sizeBytes, data }));
    await device.close();
  });
});

describe('a descent', () => {
  const counted = (reader: NodeReader): NodeReader & { hashes: number } => {
    const counting = {
      ...reader,
      hashes: 0,
      nodes(level: number, first: number, count: number) {
        counting.hashes += count;
        return reader.nodes(level, first, count);
      },
    };
    return counting;
  };

  it('finds exactly the chunks that differ, in order, by reading what lies above them and nothing else', async () => {
    const directory = await tempDir();
    await fc.assert(
      fc.asyncProperty(leavesOf, fc.uniqueArray(fc.nat(4_999), { maxLength: 40 }), async (leaves, some) => {
        const chunks = chunkCount(leaves.sizeBytes);
        const differing = some.filter((chunk) => chunk < chunks).sort((a, b) => a - b);
        const other = changed(leaves, differing);
        const mine = treeOf(await leafFile(directory, leaves), leaves.sizeBytes);
        const tree = treeOf(await leafFile(directory, other), leaves.sizeBytes);
        const theirs = counted(nodesOf(nodesDevice(tree, 'all'), leaves.sizeBytes));

        const found = await collected(differingChunks({ mine, theirs, theirRoot: rootOf(other) }));

        expect(found).toEqual(differing);
        expect(theirs.hashes).toBeLessThanOrEqual(1 + 2 * differing.length * levelOffsets(leaves.sizeBytes).length);
      }),
      RUNS,
    );
  });

  it('trusts no tree that has another root, or a node that is not the hash of those below it', async () => {
    const directory = await tempDir();
    const sizeBytes = 3_000 * CHUNK_BYTES;
    const leaves = { sizeBytes, data: new Map([[2_999, someLeaf(1)]]) };
    const other = changed(leaves, [7, 2_000]);
    const mine = treeOf(await leafFile(directory, leaves), sizeBytes);
    const theirs = treeOf(await leafFile(directory, other), sizeBytes);
    const torn: NodeReader = {
      sizeBytes,
      nodes: (level, first, count) => (level > 3 ? theirs : mine).nodes(level, first, count),
    };

    const errors = [
      await thrownBy(collected(differingChunks({ mine, theirs, theirRoot: rootOf(leaves) }))),
      await thrownBy(collected(differingChunks({ mine, theirs: torn, theirRoot: rootOf(other) }))),
    ];

    for (const error of errors) expect(error).toBeInstanceOf(VoidTree);
  });

  it('of two volumes that differ everywhere comes through with batches of bounded size', async () => {
    const directory = await tempDir();
    const sizeBytes = 3_000 * CHUNK_BYTES;
    const all = Array.from({ length: 3_000 }, (_, chunk) => chunk);
    const leaves = { sizeBytes, data: new Map(all.map((chunk) => [chunk, someLeaf(chunk)])) };
    const other = { sizeBytes, data: new Map(all.map((chunk) => [chunk, someLeaf(-1 - chunk)])) };
    const mine = treeOf(await leafFile(directory, leaves), sizeBytes);
    const tree = treeOf(await leafFile(directory, other), sizeBytes);
    let most = 0;
    const theirs: NodeReader = {
      sizeBytes,
      nodes(level, first, count) {
        most = Math.max(most, count);
        return tree.nodes(level, first, count);
      },
    };

    const found = await collected(differingChunks({ mine, theirs, theirRoot: rootOf(other) }));

    expect(found).toEqual(all);
    expect(most).toBeLessThanOrEqual(512);
  });
});

describe('differences', () => {
  it('are named as ranges of bytes, whatever order they were found in', () => {
    const differences = createDifferences(10 * CHUNK_BYTES - 512);

    for (const [first, count] of [
      [9, 1],
      [1, 1],
      [2, 2],
      [1, 2],
      [6, 1],
    ] as const)
      differences.mark(first, count);

    expect(differences.chunks).toBe(5);
    expect(differences.named()).toEqual({
      ranges: [
        { fromByte: CHUNK_BYTES, endByte: 4 * CHUNK_BYTES },
        { fromByte: 6 * CHUNK_BYTES, endByte: 7 * CHUNK_BYTES },
        { fromByte: 9 * CHUNK_BYTES, endByte: 10 * CHUNK_BYTES - 512 },
      ],
      more: 0,
    });
  });

  it('that are many are named up to 64 ranges, and the others counted', () => {
    const differences = createDifferences(1_000 * CHUNK_BYTES);

    for (let chunk = 1; chunk < 1_000; chunk += 10) differences.mark(chunk, 1);

    const { ranges, more } = differences.named();
    expect(ranges).toHaveLength(64);
    expect(more).toBe(36);
  });
});
