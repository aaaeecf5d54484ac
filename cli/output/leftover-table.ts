import type { Leftover, Removal } from '../api/leftovers.ts';
import { type Span, span } from './line.ts';
import type { Column } from './table.ts';
import { bytes, duration } from './units.ts';

/** Leftovers, and what became of them, as tables. The names are never cut: they are there to be copied. */

const STATES: Readonly<Record<Leftover['state'] | Removal['state'], Span>> = {
  pending: span('being removed', 'yellow'),
  needs_you: span('needs you', 'red'),
  leftover: span('nobody wants it', 'yellow'),
  unknown: span('unknown', 'red'),
  removed: span('removed', 'green'),
  failed: span('failed', 'red'),
  refused: span('refused', 'red'),
};

const age = ({ made_at: madeAt }: Leftover, nowMs: number): string =>
  madeAt === null ? '-' : duration(nowMs - Date.parse(madeAt));

const whyOf = ({ why, reason }: Leftover): string => (reason === null ? why : `${why}; last reason: ${reason}`);

export const leftoverColumns = (nowMs: number): readonly Column<Leftover>[] => [
  { title: 'OBJECT', cell: (one) => span(one.object) },
  { title: 'HOST', cell: (one) => span(one.host) },
  {
    title: 'SIZE',
    cell: (one) => span(one.size_bytes === null ? '-' : bytes(one.size_bytes)),
    align: 'right',
    cut: 'drop',
  },
  { title: 'AGE', cell: (one) => span(age(one, nowMs)), align: 'right', cut: 'drop' },
  { title: 'TRIES', cell: (one) => span(String(one.tries)), align: 'right', cut: 'drop' },
  { title: 'STATE', cell: (one) => STATES[one.state] },
  { title: 'WHY', cell: (one) => span(whyOf(one)), cut: 'wrap', min: 24 },
];

export const removalColumns: readonly Column<Removal>[] = [
  { title: 'OBJECT', cell: (one) => span(one.object) },
  { title: 'HOST', cell: (one) => span(one.host ?? '-') },
  { title: 'BECAME', cell: (one) => STATES[one.state] },
  { title: 'REASON', cell: (one) => span(one.reason ?? ''), cut: 'wrap', min: 24 },
];
