import type { Spread } from '../measure/statistics.ts';

/** What the bench has to say, one row for each that ran or did not; the table, the chart and the JSON are made of these. */
export type Row = CopyRow | MemoryRow | LeftOutRow;

export interface CopyRow {
  readonly kind: 'copy';
  readonly case: string;
  readonly contender: string;
  readonly side: 'ours' | 'peer';
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly seconds: Spread;
  /** User and system, of everyone who took part, for a GiB of the volume, holes included. */
  readonly cpuSecondsPerGib: number;
  readonly allocatedBytes: number;
  /** A peer's median over ours; in our own row the best peer's. Null when there is no other. Above 1 we are faster. */
  readonly ratio: number | null;
  readonly note: string | null;
}

export interface MemoryRow {
  readonly kind: 'memory';
  readonly case: string;
  readonly process: 'source' | 'destination';
  readonly copies: number;
  readonly virtualBytes: number;
  readonly peakRssMib: number;
}

export interface LeftOutRow {
  readonly kind: 'left out';
  readonly case: string;
  /** Null: the whole case. */
  readonly contender: string | null;
  readonly reason: string;
  /** Something is wrong; otherwise it is only not there. */
  readonly failed: boolean;
}

/** One line; a tenth of a millisecond is more than any of it is worth. */
export const jsonOf = (row: Row): string =>
  JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value,
  );
