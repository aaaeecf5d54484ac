import { type Line, lineWidth, renderLine, type Span, span, widthOf } from './line.ts';
import type { Paint } from './paint.ts';

/** An aligned table: two spaces between columns, no rules; narrower columns where a terminal needs them. */

/** How a column gives way: `end` cuts with an ellipsis, `prefix` without one (an id stays usable), `never` stays whole. */
type Cut = 'never' | 'end' | 'prefix';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Span;
  readonly align?: 'left' | 'right';
  readonly cut?: Cut;
  /** The least width it may be cut to, in characters. */
  readonly min?: number;
}

export interface TableLook {
  readonly paint: Paint;
  /** Infinity where the output is no terminal: nothing is cut for a file or a pipe. */
  readonly columns: number;
}

const GAP = 2;

/** Takes what is too much from the widest column that may still give way, one character at a time. */
const fitWidths = <Row>(columns: readonly Column<Row>[], natural: readonly number[], available: number): number[] => {
  const widths = [...natural];
  const least = (index: number): number => {
    const column = columns[index];
    return column?.cut === undefined || column.cut === 'never' ? Number.POSITIVE_INFINITY : (column.min ?? 8);
  };
  let excess = widths.reduce((sum, width) => sum + width, GAP * (columns.length - 1)) - available;
  for (; excess > 0; excess -= 1) {
    const slack = widths.map((width, index) => (width > least(index) ? width : 0));
    const widest = slack.indexOf(Math.max(...slack));
    if (slack[widest] === 0 || slack[widest] === undefined) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
};

const cutTo = (cell: Span, width: number, cut: Cut | undefined): Span => {
  if (widthOf(cell.text) <= width || cut === undefined || cut === 'never') return cell;
  const characters = [...cell.text];
  const text = cut === 'prefix' ? characters.slice(0, width) : [...characters.slice(0, width - 1), '…'];
  return { ...cell, text: text.join('') };
};

const padded = (cell: Span, width: number, align: 'left' | 'right' | undefined, isLast: boolean): Line => {
  const blank: Span = { text: ' '.repeat(Math.max(0, width - widthOf(cell.text))) };
  if (align === 'right') return [blank, cell];
  return isLast ? [cell] : [cell, blank];
};

export const renderTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: TableLook): string => {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const head = columns.map((column) => span(column.title, 'dim'));
  const natural = columns.map((_, index) =>
    Math.max(...[head, ...cells].map((line) => widthOf(line[index]?.text ?? ''))),
  );
  const widths = fitWidths(columns, natural, look.columns);
  const lineOf = (line: readonly Span[]): Line =>
    line.flatMap((cell, index) => {
      const column = columns[index];
      const width = widths[index] ?? 0;
      const isLast = index === columns.length - 1;
      const cut = cutTo(cell, width, cell === head[index] ? 'end' : column?.cut);
      return [...padded(cut, width, column?.align, isLast), ...(isLast ? [] : [{ text: ' '.repeat(GAP) }])];
    });
  return [head, ...cells].map((line) => `${renderLine(lineOf(line), look.paint).trimEnd()}\n`).join('');
};

/** Facts of one thing: names dim and aligned, values whole. Entries without a value are left out. */
export const renderFacts = (facts: readonly (readonly [string, Line | undefined])[], paint: Paint): string => {
  const shown = facts.filter(
    (fact): fact is readonly [string, Line] => fact[1] !== undefined && lineWidth(fact[1]) > 0,
  );
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${renderLine(value, paint)}\n`).join('');
};
