import { describe, expect, it } from 'vitest';
import { CASES } from '../../bench/copy/cases.ts';
import { chart } from '../../bench/copy/report/chart.ts';
import type { Row } from '../../bench/copy/report/rows.ts';
import { copyRow, leftOutRow, memoryRow, ourRow } from './rows.ts';

const everything: Row[] = CASES.flatMap((one): Row[] => {
  const name = { case: one.name };
  if (one.kind === 'memory') return [memoryRow(name), memoryRow({ ...name, process: 'destination' })];
  if (one.content === 'changed') return [leftOutRow({ ...name, reason: 'not <there> & "yet"' })];
  return [copyRow(name), ourRow(name)];
});

/** Throws when a tag is not closed, closed twice, or an attribute or entity is malformed. Returns the elements' names. */
const elementsOf = (xml: string): string[] => {
  const open: string[] = [];
  const seen: string[] = [];
  const tag = /<(\/?)([a-z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(\/?)>/g;
  const between = xml.replace(tag, (_all, closing: string, name: string, _attributes, empty: string) => {
    if (closing !== '') {
      if (open.pop() !== name) throw new Error(`</${name}> closes what is not open`);
      return '';
    }
    seen.push(name);
    if (empty === '') open.push(name);
    return '';
  });
  if (open.length > 0) throw new Error(`${open.join(', ')} is left open`);
  if (/[<>]|&(?!(amp|lt|gt|quot);)/.test(between)) throw new Error('there is a bare < > or &');
  return seen;
};

describe('the chart', () => {
  it('is well-formed', () => {
    const elements = elementsOf(chart(everything, ['2 cores & <more>']));

    expect(elements[0]).toBe('svg');
    expect(elements).toContain('rect');
  });

  it('names every case', () => {
    const svg = chart(everything, []);

    for (const { name } of CASES) expect(svg).toContain(`>${name}`);
  });

  it('has a bar for everyone who ran', () => {
    const bars = chart(everything, []).match(/<rect class="(peer|us)"/g);

    expect(bars).toHaveLength(everything.filter(({ kind }) => kind !== 'left out').length);
  });

  it('can be read out loud, and in the dark, without fonts or scripts from elsewhere', () => {
    const svg = chart(everything, ['2 cores']);

    expect(svg).toContain('role="img" aria-labelledby="title desc"');
    expect(svg).toContain('<title id="title">');
    expect(svg).toMatch(/<desc id="desc">.*2 cores/);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/http|url\(|<script/);
  });

  it('draws the slowest of a case over the full width, and the others to scale', () => {
    const svg = chart([copyRow({}), ourRow()], []);

    const widths = [...svg.matchAll(/<rect class="(?:peer|us)"[^>]* width="([\d.]+)"/g)].map((found) => found[1]);
    expect(widths).toEqual(['336.0', '420.0']);
  });

  it('stays inside its own height', () => {
    const svg = chart(everything, ['one', 'two']);

    const height = Number(/height="(\d+)"/.exec(svg)?.[1]);
    const lowest = Math.max(...[...svg.matchAll(/ y="(\d+)"/g)].map((found) => Number(found[1])));
    expect(lowest).toBeLessThan(height);
  });
});
