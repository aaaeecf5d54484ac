import type { Kept, Migration } from '../api/types.ts';
import { type Line, type Span, span } from './line.ts';
import { utc } from './units.ts';

/** What is kept of a migration, and until when. */

export const keptOf = ({ kept = [] }: Migration, role: Kept['role']): Kept | undefined =>
  kept.find((one) => one.role === role);

export const keptLines = ({ kept = [] }: Migration): [string, Line][] =>
  kept.map(({ role, object, host, until }): [string, Line] => [
    'Kept',
    [span(`${role} at ${host} until ${utc(until)} UTC`), span(`  ${object}`, 'dim')],
  ]);

/** One cell: the source or the destination, until when. */
export const keptCell = ({ kept = [] }: Migration): Span =>
  span(kept.map(({ role, until }) => `${role} until ${utc(until)}`).join(', '));
