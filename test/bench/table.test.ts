import { describe, expect, it } from 'vitest';
import { caseTable, type Paint } from '../../bench/copy/report/table.ts';
import { copyRow, leftOutRow, memoryRow, ourRow } from './rows.ts';

const plain: Paint = (_color, text) => text;
const marked: Paint = (color, text) => `<${color}>${text}</${color}>`;

describe("a case's table", () => {
  it('has numbers under their headings, ours last, and who is not there below', () => {
    const rows = [
      ourRow(),
      leftOutRow({ contender: 'rsync --inplace', reason: 'not installed: rsync' }),
      copyRow({}),
      copyRow({ contender: 'qemu-img -m8 -W writeback + compare', seconds: { median: 10, min: 9.5, max: 11.25 } }),
    ];

    const table = caseTable('dense-disk-copy', rows, plain);

    expect(table).toBe(
      [
        'dense-disk-copy: 2 GiB, 7 rounds',
        'contender                            median s       min-max   GB/s  CPU s/GiB  stored MiB   ratio',
        'dd bs=4M direct                         2.500   2.250-12.13   0.86       0.11        2048   x1.25',
        'qemu-img -m8 -W writeback + compare     10.00   9.500-11.25   0.21       0.11        2048   x1.25',
        'volmove, digest off                     2.000   1.500-3.000   1.07       0.11        2048   x1.25',
        'rsync --inplace: not installed: rsync',
        '',
      ].join('\n'),
    );
  });

  it('stays within 100 columns with large numbers', () => {
    const row = copyRow({
      seconds: { median: 1234.56, min: 999.99, max: 2345.67 },
      cpuSecondsPerGib: 1234.5,
      allocatedBytes: 1024 ** 4,
      ratio: 123.45,
    });

    const widths = caseTable('dense-disk-copy', [row], plain)
      .split('\n')
      .map((line) => line.length);

    expect(Math.max(...widths)).toBeLessThanOrEqual(100);
  });

  it.each([
    [1.25, '<green>  x1.25</green>'],
    [0.8, '<red>  x0.80</red>'],
    [1.004, '   x1.00'],
  ])('shows a ratio of %d as %s', (ratio, shown) => {
    const table = caseTable('dense-disk-copy', [copyRow({ ratio })], marked);

    expect(table.split('\n')[2]?.endsWith(shown)).toBe(true);
  });

  it('shows no ratio where nobody else ran', () => {
    const table = caseTable('dense-disk-copy', [ourRow({ ratio: null })], plain);

    expect(table).not.toContain('x1');
  });

  it('shows memory in words', () => {
    const table = caseTable('rss-64tib', [memoryRow(), memoryRow({ process: 'destination', peakRssMib: 81 })], plain);

    expect(table).toBe(
      [
        'rss-64tib: one copy of 64 TiB over mutual TLS, digest and read-back',
        "peak RSS of the source's process                 79.6 MiB",
        "peak RSS of the destination's process            81.0 MiB",
        '',
      ].join('\n'),
    );
  });

  it('says why a case was left out', () => {
    const table = caseTable('changed-disk-copy', [leftOutRow()], plain);

    expect(table).toBe('changed-disk-copy\nleft out: not there yet\n');
  });
});
