import type { CopyRow, LeftOutRow, MemoryRow } from '../../bench/copy/report/rows.ts';

/** Rows as a run makes them. */
export const copyRow = (row: Partial<CopyRow>): CopyRow => ({
  kind: 'copy',
  case: 'dense-disk-copy',
  contender: 'dd bs=4M direct',
  side: 'peer',
  sizeBytes: 2 * 1024 ** 3,
  rounds: 7,
  seconds: { median: 2.5, min: 2.25, max: 12.125 },
  cpuSecondsPerGib: 0.11,
  allocatedBytes: 2 * 1024 ** 3,
  ratio: 1.25,
  note: null,
  ...row,
});

export const ourRow = (row: Partial<CopyRow> = {}): CopyRow =>
  copyRow({
    contender: 'volmove',
    side: 'ours',
    seconds: { median: 2, min: 1.5, max: 3 },
    note: 'digest off',
    ...row,
  });

export const memoryRow = (row: Partial<MemoryRow> = {}): MemoryRow => ({
  kind: 'memory',
  case: 'rss-64tib',
  process: 'source',
  copies: 1,
  virtualBytes: 64 * 1024 ** 4,
  peakRssMib: 79.6,
  ...row,
});

export const leftOutRow = (row: Partial<LeftOutRow> = {}): LeftOutRow => ({
  kind: 'left out',
  case: 'changed-disk-copy',
  contender: null,
  reason: 'not there yet',
  failed: false,
  ...row,
});
