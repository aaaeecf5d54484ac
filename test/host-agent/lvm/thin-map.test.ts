import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Extent } from '../../../domain/block-device.ts';
import { createAllocation } from '../../../host-agent/drivers/lvm/allocation.ts';
import { parseThinMap, type ThinMap } from '../../../host-agent/drivers/lvm/thin-map.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { until } from '../../data-path/helpers/until.ts';
import { THIN_DUMP } from './recorded.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const KIB = 1024;

describe('a dump of a thin volume’s map', () => {
  it('gives runs of mapped blocks, those that touch put together', async () => {
    expect(await parseThinMap(lines(THIN_DUMP), 1)).toEqual({
      blockBytes: 64 * KIB,
      begins: [112, 1000],
      ends: [273, 1010],
    });
  });

  it('of a volume in which nothing was written has none', async () => {
    const empty = [
      '<superblock uuid="" time="1" data_block_size="128" nr_data_blocks="0">',
      '  <device dev_id="3" mapped_blocks="0" transaction="0">',
      '  </device>',
      '</superblock>',
    ];

    expect(await parseThinMap(empty, 3)).toEqual({ blockBytes: 64 * KIB, begins: [], ends: [] });
  });

  it.each([
    { what: 'cut off', text: THIN_DUMP.replace('</superblock>', '') },
    { what: 'lacks a line', text: THIN_DUMP.replace(/^.*single_mapping.*\n/m, '') },
    { what: 'is of another volume', text: THIN_DUMP.replace('dev_id="1"', 'dev_id="2"') },
    { what: 'refers to a part elsewhere', text: THIN_DUMP.replace(/<single_mapping.*>/, '<ref name="1"/>') },
    { what: 'has runs that overlap', text: THIN_DUMP.replace('"272"', '"270"') },
    { what: 'has runs in no order', text: THIN_DUMP.replace('"1000"', '"10"') },
    { what: 'says nothing', text: '' },
  ])('that $what tells nothing, so that nothing is believed to be a hole', async ({ text }) => {
    expect(await parseThinMap(lines(text), 1)).toBeUndefined();
  });
});

/** Mapped blocks as a plain set. */
const mapOfBlocks = (blocks: readonly number[]): ThinMap => {
  const sorted = [...new Set(blocks)].sort((a, b) => a - b);
  const begins = sorted.filter((block) => !sorted.includes(block - 1));
  const ends = sorted.filter((block) => !sorted.includes(block + 1)).map((block) => block + 1);
  return { blockBytes: 4, begins, ends };
};

describe('what is mapped of a volume', () => {
  const BLOCKS = 40;
  const block = fc.integer({ min: 0, max: BLOCKS - 1 });
  const range = fc
    .tuple(fc.integer({ min: 0, max: BLOCKS * 4 }), fc.integer({ min: 0, max: BLOCKS * 4 }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

  it('is what its map says and what was written since, without gaps and in whole runs, of any part of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block), fc.array(range), range, async (mapped, written, [from, end]) => {
        const allocation = createAllocation(async () => mapOfBlocks(mapped), { count: 0 }, 4);
        await allocation.runs(0, 1, undefined);
        const expected = new Set(mapped);
        for (const [a, b] of written) {
          allocation.touched(a, b);
          for (let at = a; at < b; at += 1) expected.add(Math.floor(at / 4));
        }

        const runs: Extent[] = [...((await allocation.runs(from, end, undefined)) ?? [])];

        let at = from;
        for (const run of runs) {
          expect(run.offset).toBe(at);
          for (; at < run.offset + run.lengthBytes; at += 1)
            expect(run.kind).toBe(expected.has(Math.floor(at / 4)) ? 'data' : 'hole');
        }
        expect(at).toBe(end);
        expect(runs.every((run, i) => i === 0 || run.kind !== runs[i - 1]?.kind)).toBe(true);
        const blocks = new Set(Array.from({ length: end - from }, (_, i) => Math.floor((from + i) / 4)));
        expect(allocation.takesBytes(from, end)).toBe(4 * [...blocks].filter((one) => !expected.has(one)).length);
      }),
      { examples: [[[], [[7, 7]], [0, 5]]] },
    );
  });

  it('is read again when another device has written, and not for writes of its own', async () => {
    let reads = 0;
    const writes = { count: 0 };
    const read = async (): Promise<ThinMap> => {
      reads += 1;
      return mapOfBlocks([]);
    };
    const one = createAllocation(read, writes, 4);
    const other = createAllocation(read, writes, 4);
    await one.runs(0, 8, undefined);
    one.touched(0, 4);
    await one.runs(0, 8, undefined);
    const ofItsOwn = reads;

    other.touched(4, 8);
    await one.runs(0, 8, undefined);

    expect([ofItsOwn, reads]).toEqual([1, 2]);
  });

  it('has what was written while its map was read', async () => {
    let go: (map: ThinMap) => void = () => undefined;
    const allocation = createAllocation(() => new Promise((resolve) => (go = resolve)), { count: 0 }, 4);
    const asked = allocation.runs(0, 8, undefined);
    await Promise.resolve();
    allocation.touched(4, 8);
    go(mapOfBlocks([]));

    expect([...((await asked) ?? [])].map(({ kind }) => kind)).toEqual(['hole', 'data']);
  });

  it('is never an answer that was on its way before the question, nor another’s failure', async () => {
    const maps: { readonly give: (map: ThinMap) => void; readonly fail: (why: Error) => void }[] = [];
    const writes = { count: 0 };
    const read = (): Promise<ThinMap> => new Promise((give, fail) => maps.push({ give, fail }));
    const reader = createAllocation(read, writes, 4);
    const writer = createAllocation(read, writes, 4);
    const kindsAsked = async () => [...((await reader.runs(0, 8, undefined)) ?? [])].map(({ kind }) => kind);
    const asked = async (count: number) => until(`it reads for the ${count}. time`, () => maps.length === count);
    const before = kindsAsked();
    await asked(1);
    writer.touched(0, 4);
    const after = thrownBy(kindsAsked());
    const afterAll = kindsAsked();

    maps[0]?.give(mapOfBlocks([]));
    await asked(2);
    maps[1]?.fail(new Error('another was stopped'));
    await asked(3);
    maps[2]?.give(mapOfBlocks([0]));

    expect(await before).toEqual(['hole']);
    expect((await after).message).toBe('another was stopped');
    expect(await afterAll).toEqual(['data', 'hole']);
  });

  it('cannot be told where there is no map', async () => {
    const allocation = createAllocation(async () => undefined, { count: 0 }, 4);

    expect(await allocation.runs(0, 8, undefined)).toBeUndefined();
    // whole blocks of the pool, however little of each is written
    expect([allocation.takesBytes(0, 8), allocation.takesBytes(3, 5), allocation.takesBytes(5, 5)]).toEqual([8, 8, 0]);
  });
});
