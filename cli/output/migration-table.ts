import { type Migration, migrationLabel } from '../api/types.ts';
import { keptCell } from './kept.ts';
import { span } from './line.ts';
import { migrationState, since } from './status.ts';
import type { Column } from './table.ts';
import { lastedMs } from './took.ts';
import { duration } from './units.ts';

/** Migrations as a table: which, what it is doing, from where to where, since when. */

export const migrationColumns = (
  nowMs: number,
  options: { readonly withVolume: boolean; readonly withKept?: boolean },
): readonly Column<Migration>[] => [
  { title: 'MIGRATION', cell: (one) => span(one.id), cut: 'prefix', min: 13 },
  ...(options.withVolume
    ? [{ title: 'VOLUME', cell: (one: Migration) => span(migrationLabel(one)), cut: 'end' as const, min: 8 }]
    : []),
  { title: 'STATE', cell: migrationState },
  { title: 'FROM', cell: (one) => span(one.source), cut: 'middle', min: 12 },
  { title: 'TO', cell: (one) => span(one.destination), cut: 'middle', min: 12 },
  ...(options.withKept ? [{ title: 'KEPT (UTC)', cell: keptCell, cut: 'drop' as const }] : []),
  { title: 'ASKED', cell: (one) => span(since(one.requested_at, nowMs)), align: 'right', cut: 'drop' },
  { title: 'TOOK', cell: (one) => span(duration(lastedMs(one, nowMs))), align: 'right', cut: 'drop' },
];
