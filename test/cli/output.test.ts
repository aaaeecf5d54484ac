import { describe, expect, it } from 'vitest';
import { clip, renderLine, span, wrap } from '../../cli/output/line.ts';
import { type Column, renderTable } from '../../cli/output/table.ts';
import { ago, bytes, duration, eta } from '../../cli/output/units.ts';

const plain = (_tone: string, text: string): string => text;

describe('units', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KiB'],
    [1024, '1.0 KiB'],
    [3.6 * 1024 ** 3, '3.6 GiB'],
    [99.96 * 1024 ** 2, '100 MiB'],
    [1023 * 1024, '1.0 MiB'],
    [64 * 1024 ** 4, '64.0 TiB'],
  ])('%d bytes are %s', (count, text) => {
    expect(bytes(count)).toBe(text);
  });

  it.each([
    [-5, '0.0 s'],
    [320, '0.3 s'],
    [9_960, '10 s'],
    [59_600, '1 min 00 s'],
    [192_000, '3 min 12 s'],
    [7_500_000, '2 h 05 min'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('an unknown estimate is unknown, and a short one has no tenths', () => {
    expect([eta(null), eta(0), eta(2.2), eta(75)]).toEqual(['unknown', '0 s', '3 s', '1 min 15 s']);
  });

  it('what is old is told in one unit', () => {
    expect([ago(-9_000), ago(12_000), ago(200_000), ago(7_300_000), ago(200_000_000)]).toEqual([
      'just now',
      '12 s ago',
      '3 min ago',
      '2 h ago',
      '2 d ago',
    ]);
  });
});

describe('lines', () => {
  it('are cut by what is seen, not by their colours', () => {
    const line = clip([span('abc', 'red'), span('defgh', 'dim')], 6, '…');

    expect(renderLine(line, (tone, text) => `<${tone}>${text}`)).toBe('<red>abc<dim>de…');
  });

  it('are wrapped between words', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('unbreakable', 3)).toEqual(['unbreakable']);
  });
});

describe('a table', () => {
  const columns: readonly Column<string>[] = [
    { title: 'ID', cell: (text) => span(`${text}-0123456789`), cut: 'prefix', min: 6 },
    { title: 'PLACE', cell: () => span('host@backend#pool'), cut: 'middle', min: 7 },
    { title: 'EXTRA', cell: () => span('extra'), cut: 'drop' },
    { title: 'N', cell: () => span('7'), align: 'right' },
  ];
  const at = (width: number): string => renderTable(columns, ['ab'], { paint: plain, columns: width, ellipsis: '…' });

  it('is whole where there is room', () => {
    expect(at(Number.POSITIVE_INFINITY)).toBe(
      'ID             PLACE              EXTRA  N\nab-0123456789  host@backend#pool  extra  7\n',
    );
  });

  it('gives way: ids become prefixes, then columns go, then texts lose their middle', () => {
    expect(at(40)).toBe('ID      PLACE              EXTRA  N\nab-012  host@backend#pool  extra  7\n');
    expect(at(30)).toBe('ID      PLACE              N\nab-012  host@backend#pool  7\n');
    expect(at(22)).toBe('ID      PLACE        N\nab-012  host@…#pool  7\n');
  });

  it('says the whole of a last text: on more lines beside the others, or below them where there is no room', () => {
    const wide: readonly Column<string>[] = [
      { title: 'ID', cell: () => ({ text: '0123456789' }) },
      { title: 'WHY', cell: (why) => ({ text: why }), cut: 'wrap', min: 12 },
    ];
    const shown = (width: number): string =>
      renderTable(wide, ['nobody here knows it'], { paint: plain, columns: width, ellipsis: '…' });

    expect(shown(40)).toBe('ID          WHY\n0123456789  nobody here knows it\n');
    expect(shown(26)).toBe('ID          WHY\n0123456789  nobody here\n            knows it\n');
    expect(shown(20)).toBe('ID\n0123456789\n    nobody here\n    knows it\n');
  });

  it('stays readable, if too wide, where nothing gives way any more', () => {
    expect(at(5)).toBe('ID      PLACE    N\nab-012  hos…ool  7\n');
  });
});
