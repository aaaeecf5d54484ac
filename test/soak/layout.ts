import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { CHUNK_BYTES, chunkCount } from '../../host-agent/digest/tree-hash.ts';
import type { Chance } from '../helpers/sim/random.ts';

/** What a soaked volume holds: runs of data, runs of zeroes that were written, and holes between them, in blocks of 64 KiB. */
const MIB = 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;

export interface Layout {
  readonly sizeBytes: number;
  readonly runs: readonly Run[];
}

interface Run {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly kind: 'data' | 'zeroes';
}

/** Bytes that were read from the source's disk and written to the destination. */
export interface Moved {
  readonly read: number;
  readonly written: number;
}

const LONGEST_RUN_BLOCKS = 768;
const LONGEST_GAP_BLOCKS = 128;

/** At least `dataBytes` of data, spread over the volume; written zeroes come on top. */
export const layoutOf = (chance: Chance, sizeBytes: number, dataBytes: number): Layout => {
  const runs: Run[] = [];
  let data = 0;
  for (let offset = 0; offset < sizeBytes && data < dataBytes; ) {
    const kind = chance.happens(0.2) ? 'zeroes' : 'data';
    const longest = kind === 'data' ? LONGEST_RUN_BLOCKS : LONGEST_GAP_BLOCKS;
    const lengthBytes = Math.min((1 + chance.below(longest)) * BLOCK_BYTES, sizeBytes - offset);
    runs.push({ offset, lengthBytes, kind });
    if (kind === 'data') data += lengthBytes;
    offset += lengthBytes + chance.below(LONGEST_GAP_BLOCKS) * BLOCK_BYTES;
  }
  return { sizeBytes, runs };
};

/** Every block of data differs from every other: one at a wrong address is seen. */
export const fill = async (path: string, { runs }: Layout): Promise<void> => {
  const handle = await open(path, 'r+');
  const data = randomBytes(MIB);
  const zeroes = Buffer.alloc(MIB);
  try {
    for (const { offset, lengthBytes, kind } of runs) {
      for (let done = 0; done < lengthBytes; done += MIB) {
        const piece = (kind === 'data' ? data : zeroes).subarray(0, Math.min(MIB, lengthBytes - done));
        if (kind === 'data')
          for (let at = 0; at < piece.length; at += BLOCK_BYTES) piece.writeDoubleLE(offset + done + at + 1, at);
        await handle.write(piece, 0, piece.length, offset + done);
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** As it is after a migration: zeroes that were written have become holes. */
export const arrived = ({ sizeBytes, runs }: Layout): Layout => ({
  sizeBytes,
  runs: runs.filter(({ kind }) => kind === 'data'),
});

/** What one straight copy up to a mark moves: every block that was written is read, and those that are not zero are written. */
export const workOf = ({ sizeBytes, runs }: Layout): ((markBytes: number) => Moved) => {
  const chunks = Array.from({ length: chunkCount(sizeBytes) }, () => ({ read: 0, written: 0 }));
  for (const { offset, lengthBytes, kind } of runs) {
    for (let at = offset; at < offset + lengthBytes; at += BLOCK_BYTES) {
      const chunk = chunks[Math.floor(at / CHUNK_BYTES)];
      if (!chunk) throw new RangeError(`the layout goes beyond ${sizeBytes} bytes`);
      chunk.read += BLOCK_BYTES;
      if (kind === 'data') chunk.written += BLOCK_BYTES;
    }
  }
  return (markBytes) =>
    chunks
      .slice(0, Math.ceil(markBytes / CHUNK_BYTES))
      .reduce((sum, each) => ({ read: sum.read + each.read, written: sum.written + each.written }), NOTHING);
};

export const NOTHING: Moved = { read: 0, written: 0 };

export const minus = (left: Moved, right: Moved): Moved => ({
  read: left.read - right.read,
  written: left.written - right.written,
});

export const plus = (left: Moved, right: Moved): Moved => ({
  read: left.read + right.read,
  written: left.written + right.written,
});
