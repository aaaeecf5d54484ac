import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Which blocks of a thin volume are mapped, as thin_dump(8) writes it: one element a line, in ascending order. */
export interface ThinMap {
  readonly blockBytes: number;
  /** Runs of mapped blocks, without gaps of none between them: [begins[i], ends[i]). */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

const SECTOR_BYTES = 512;
const attribute = (line: string, name: string): number | undefined => {
  const value = new RegExp(` ${name}="(\\d+)"`).exec(line)?.[1];
  return value === undefined ? undefined : Number(value);
};

/** Undefined when the dump is not whole, or says something that is not understood: then nothing is known of the volume. */
export const parseThinMap = async (
  lines: AsyncIterable<string> | Iterable<string>,
  thinId: number,
): Promise<ThinMap | undefined> => {
  const begins: number[] = [];
  const ends: number[] = [];
  let blockBytes: number | undefined;
  let expected: number | undefined;
  let counted = 0;
  let whole = false;
  let isOrdered = true;
  const add = (begin: number, length: number): void => {
    counted += length;
    if (begin < (ends.at(-1) ?? 0)) isOrdered = false;
    if (ends.at(-1) === begin) ends[ends.length - 1] = begin + length;
    else {
      begins.push(begin);
      ends.push(begin + length);
    }
  };
  for await (const line of lines) {
    const [, tag] = /^\s*<(\/?[a-z_]+)/.exec(line) ?? [];
    if (tag === 'superblock') blockBytes = (attribute(line, 'data_block_size') ?? Number.NaN) * SECTOR_BYTES;
    else if (tag === 'device' && attribute(line, 'dev_id') === thinId) expected = attribute(line, 'mapped_blocks');
    else if (tag === 'range_mapping')
      add(attribute(line, 'origin_begin') ?? Number.NaN, attribute(line, 'length') ?? Number.NaN);
    else if (tag === 'single_mapping') add(attribute(line, 'origin_block') ?? Number.NaN, 1);
    else if (tag === '/superblock') whole = true;
    else if (tag !== '/device') return undefined;
  }
  // NaN is equal to nothing
  return whole && isOrdered && blockBytes !== undefined && blockBytes > 0 && counted === expected
    ? { blockBytes, begins, ends }
    : undefined;
};

export const readThinMap = (path: string, thinId: number): Promise<ThinMap | undefined> =>
  parseThinMap(createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY }), thinId);

/** How many runs end at or before the block. */
export const runsBefore = ({ ends }: ThinMap, block: number): number => {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as number) <= block) low = middle + 1;
    else high = middle;
  }
  return low;
};
