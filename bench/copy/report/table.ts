import type { CopyRow, LeftOutRow, MemoryRow, Row } from './rows.ts';
import { secondsText, sizeText } from './units.ts';

/** One case as text of at most 100 columns. */
export type Paint = (color: 'green' | 'red' | 'dim' | 'bold', text: string) => string;

const COLUMNS = { contender: 36, median: 8, spread: 13, speed: 6, cpu: 10, allocated: 11, ratio: 7 } as const;
const MIB = 1024 * 1024;

const heading = [
  'contender'.padEnd(COLUMNS.contender),
  'median s'.padStart(COLUMNS.median),
  'min-max'.padStart(COLUMNS.spread),
  'GB/s'.padStart(COLUMNS.speed),
  'CPU s/GiB'.padStart(COLUMNS.cpu),
  'stored MiB'.padStart(COLUMNS.allocated),
  'ratio'.padStart(COLUMNS.ratio),
].join(' ');

/** Above 1 we are faster. What is within 1 % of it is told by the number alone. */
const ratioText = (ratio: number | null, paint: Paint): string => {
  if (ratio === null) return ''.padStart(COLUMNS.ratio);
  const text = `x${ratio.toFixed(2)}`.padStart(COLUMNS.ratio);
  if (Math.abs(ratio - 1) <= 0.01) return text;
  return paint(ratio > 1 ? 'green' : 'red', text);
};

const copyLine = (row: CopyRow, paint: Paint): string => {
  const name = row.side === 'ours' ? `volmove, ${row.note ?? ''}` : row.contender;
  const { median, min, max } = row.seconds;
  const cells = [
    name.padEnd(COLUMNS.contender),
    secondsText(median).padStart(COLUMNS.median),
    `${secondsText(min)}-${secondsText(max)}`.padStart(COLUMNS.spread),
    (row.sizeBytes / 1e9 / median).toFixed(2).padStart(COLUMNS.speed),
    row.cpuSecondsPerGib.toFixed(2).padStart(COLUMNS.cpu),
    (row.allocatedBytes / MIB).toFixed(0).padStart(COLUMNS.allocated),
  ].join(' ');
  return `${row.side === 'ours' ? paint('bold', cells) : cells} ${ratioText(row.ratio, paint)}`;
};

const memoryLine = (row: MemoryRow): string =>
  `peak RSS of the ${row.process}'s process`.padEnd(45) + `${row.peakRssMib.toFixed(1)} MiB`.padStart(12);

const leftOutLine = (row: LeftOutRow, paint: Paint): string => {
  const text = `${row.contender ?? 'left out'}: ${row.reason}`;
  return row.failed ? paint('red', text) : paint('dim', text);
};

const lineOf = (row: Row, paint: Paint): string => {
  switch (row.kind) {
    case 'copy':
      return copyLine(row, paint);
    case 'memory':
      return memoryLine(row);
    case 'left out':
      return leftOutLine(row, paint);
  }
};

const titleOf = (name: string, rows: readonly Row[]): string => {
  const first = rows.find((row) => row.kind !== 'left out');
  if (first?.kind === 'copy') return `${name}: ${sizeText(first.sizeBytes)}, ${first.rounds} rounds`;
  if (first?.kind === 'memory') {
    const copies = first.copies === 1 ? 'one copy' : `${first.copies} copies at once`;
    return `${name}: ${copies} of ${sizeText(first.virtualBytes)} over mutual TLS, digest and read-back`;
  }
  return name;
};

/** Peers in the order they ran, ours last, then who did not run. */
export const caseTable = (name: string, rows: readonly Row[], paint: Paint): string => {
  const rank = (row: Row): number => (row.kind === 'left out' ? 2 : row.kind === 'copy' && row.side === 'ours' ? 1 : 0);
  const lines = rows.toSorted((a, b) => rank(a) - rank(b)).map((row) => lineOf(row, paint));
  const head = rows.some((row) => row.kind === 'copy') ? [paint('dim', heading)] : [];
  return [paint('bold', titleOf(name, rows)), ...head, ...lines, ''].join('\n');
};
