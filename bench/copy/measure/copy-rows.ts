import type { CopyCase } from '../cases.ts';
import type { Contender } from '../contenders/contender.ts';
import { GIB, MIB } from '../layout.ts';
import type { Outcome } from '../ours/outcome.ts';
import type { CopyRow } from '../report/rows.ts';
import type { OneRun } from './run-once.ts';
import { ratioOf, spreadOf } from './statistics.ts';

/** From runs to rows: medians, and everyone's ratio to ours. */
export interface Measured {
  readonly runs: OneRun[];
  allocatedBytes: number;
}

/** What we did beside copying, or how little we wrote. */
const noteOf = (contender: Contender, { verified, content }: CopyCase, runs: readonly OneRun[]): string | null => {
  const stdout = runs.at(-1)?.stdout;
  if (contender.side === 'peer' || stdout === undefined) return null;
  const { digests, bytesWritten } = JSON.parse(stdout) as Outcome;
  if (content === 'changed') return `wrote ${(bytesWritten / MIB).toFixed(0)} MiB`;
  if (verified) return 'digest and read-back';
  return digests.every((digest) => digest !== null) ? 'digest on' : 'digest off';
};

export const copyRows = (one: CopyCase, sizeBytes: number, measured: ReadonlyMap<Contender, Measured>): CopyRow[] => {
  const rows = [...measured].map(([contender, { runs, allocatedBytes }]): CopyRow => {
    const cpuSeconds = spreadOf(runs.map((run) => run.cpuSeconds)).median;
    return {
      kind: 'copy',
      case: one.name,
      contender: contender.name,
      side: contender.side,
      sizeBytes,
      rounds: runs.length,
      seconds: spreadOf(runs.map((run) => run.seconds)),
      cpuSecondsPerGib: cpuSeconds / (sizeBytes / GIB),
      allocatedBytes,
      ratio: null,
      note: noteOf(contender, one, runs),
    };
  });
  const ours = rows.find((row) => row.side === 'ours');
  const peers = rows.filter((row) => row.side === 'peer');
  if (!ours || peers.length === 0) return rows;
  const best = Math.min(...peers.map((row) => row.seconds.median));
  return rows.map((row) => ({
    ...row,
    // everyone else's is to the first of ours
    ratio: row.side === 'ours' ? ratioOf(best, row.seconds.median) : ratioOf(row.seconds.median, ours.seconds.median),
  }));
};
