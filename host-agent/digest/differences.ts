import type { ByteRange, NamedRanges } from '../../domain/byte-range.ts';
import { CHUNK_BYTES, chunkCount } from './tree-hash.ts';

/** Chunks that differ, remembered in any order: one bit each, and none of the memory is touched where nothing differs. */
export interface Differences {
  mark(first: number, count: number): void;
  readonly chunks: number;
  /** The first of them as ranges of bytes, and how many more there are. */
  named(): NamedRanges;
}

/** More would fill an error's text and a job's item, and help nobody. */
const MAX_NAMED = 64;

export const createDifferences = (sizeBytes: number): Differences => {
  const total = chunkCount(sizeBytes);
  const bits = new Uint8Array(Math.ceil(total / 8));
  let marked = 0;
  const has = (chunk: number): boolean => ((bits[chunk >> 3] ?? 0) & (1 << (chunk & 7))) !== 0;

  function* runs(): Generator<{ first: number; end: number }> {
    for (let chunk = 0; chunk < total; ) {
      if ((chunk & 7) === 0 && bits[chunk >> 3] === 0) {
        chunk += 8;
        continue;
      }
      const first = chunk;
      while (chunk < total && has(chunk)) chunk++;
      if (chunk > first) yield { first, end: chunk };
      else chunk++;
    }
  }

  return {
    get chunks() {
      return marked;
    },
    mark(first, count) {
      for (let chunk = first; chunk < Math.min(total, first + count); chunk++) {
        if (has(chunk)) continue;
        bits[chunk >> 3] = (bits[chunk >> 3] ?? 0) | (1 << (chunk & 7));
        marked++;
      }
    },
    named() {
      const ranges: ByteRange[] = [];
      let more = 0;
      for (const { first, end } of runs()) {
        if (ranges.length === MAX_NAMED) more++;
        else ranges.push({ fromByte: first * CHUNK_BYTES, endByte: Math.min(end * CHUNK_BYTES, sizeBytes) });
      }
      return { ranges, more };
    },
  };
};
