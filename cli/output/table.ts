import { charactersOf, type Line, lineWidth, renderLine, type Span, span, widthOf, wrap } from './line.ts';
import type { Paint } from './paint.ts';

/** An aligned table: two spaces between columns, no rules; narrower columns where a terminal needs them. */

/**
 * How a column gives way where a terminal is too narrow: an id becomes its `prefix`, which commands still understand; a text
 * loses its `end` or its `middle`; a `drop` column goes away whole; a last column may `wrap` onto more lines, and loses nothing.
 * `never` stays as it is, and so does a column in a file.
 */
type Cut = 'never' | 'prefix' | 'middle' | 'end' | 'drop' | 'wrap';

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
  readonly ellipsis: string;
}

/** A column with its cells, the title first, and the width it gets. */
interface Laid {
  readonly align: 'left' | 'right';
  readonly cut: Cut;
  readonly min: number;
  readonly cells: readonly Span[];
  readonly width: number;
}

const GAP = 2;
/** Of a text that has no room beside the other columns and goes below them. */
const INDENT = 4;

const lay = <Row>(column: Column<Row>, rows: readonly Row[]): Laid => {
  const cells = [span(column.title, 'dim'), ...rows.map(column.cell)];
  const { align = 'left', cut = 'never', min = 8 } = column;
  return { align, cut, min, cells, width: Math.max(...cells.map((cell) => widthOf(cell.text))) };
};

const excessOf = (columns: readonly Laid[], available: number): number =>
  columns.reduce((sum, { cut, min, width }) => sum + (cut === 'wrap' ? Math.min(min, width) : width), 0) +
  GAP * (columns.length - 1) -
  available;

/** Ids first: their prefix says as much. Then whole columns, the last one first; then texts, the widest one first. */
const fitted = (columns: readonly Laid[], available: number): readonly Laid[] => {
  const excess = excessOf(columns, available);
  if (excess <= 0) return columns;
  const long = columns.findIndex((column) => column.cut === 'prefix' && column.width > column.min);
  if (long >= 0) return fitted(narrowed(columns, long, Number.POSITIVE_INFINITY), available);
  const droppable = columns.findLastIndex((column) => column.cut === 'drop');
  if (droppable >= 0) return fitted(columns.toSpliced(droppable, 1), available);
  const slack = columns.map(({ cut, width, min }) => ((cut === 'end' || cut === 'middle') && width > min ? width : 0));
  const widest = slack.indexOf(Math.max(...slack));
  return slack[widest] === 0 ? columns : fitted(narrowed(columns, widest, 1), available);
};

const narrowed = (columns: readonly Laid[], index: number, by: number): readonly Laid[] =>
  columns.map((column, at) => (at === index ? { ...column, width: Math.max(column.min, column.width - by) } : column));

const cutTo = (cell: Span, { width, cut }: Laid, ellipsis: string): Span => {
  const characters = charactersOf(cell.text);
  if (characters.length <= width) return cell;
  switch (cut) {
    case 'never':
    case 'drop':
    case 'wrap':
      return cell;
    case 'prefix':
      return { ...cell, text: characters.slice(0, width).join('') };
    case 'end':
      return { ...cell, text: `${characters.slice(0, width - 1).join('')}${ellipsis}` };
    case 'middle': {
      const tail = Math.floor((width - 1) / 2);
      const head = characters.slice(0, width - 1 - tail).join('');
      return { ...cell, text: `${head}${ellipsis}${characters.slice(characters.length - tail).join('')}` };
    }
  }
};

const padded = (cell: Span, column: Laid, isLast: boolean): Line => {
  const blank: Span = { text: ' '.repeat(Math.max(0, column.width - widthOf(cell.text))) };
  const gap: Span = { text: isLast ? '' : ' '.repeat(GAP) };
  if (column.align === 'right') return [blank, cell, gap];
  return isLast ? [cell] : [cell, blank, gap];
};

/** Beside the other columns where its least width fits there, else below them. */
const wrapped = (row: number, others: Line, last: Laid, available: number): readonly Line[] => {
  const cell = last.cells[row] ?? { text: '' };
  const start = lineWidth(others);
  if (available - start >= Math.min(last.min, last.width)) {
    const [first = '', ...more] = wrap(cell.text, available - start);
    return [
      [...others, { ...cell, text: first }],
      ...more.map((text) => [{ text: ' '.repeat(start) }, { ...cell, text }]),
    ];
  }
  if (row === 0 || cell.text === '') return [others];
  return [
    others,
    ...wrap(cell.text, available - INDENT).map((text) => [{ text: ' '.repeat(INDENT) }, { ...cell, text }]),
  ];
};

export const renderTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: TableLook): string => {
  const laid = fitted(
    columns.map((column) => lay(column, rows)),
    look.columns,
  );
  const last = laid.at(-1);
  const linesAt = (row: number): readonly Line[] => {
    const cells = laid.map((column, index) => {
      const cell = column.cells[row] ?? { text: '' };
      return padded(cutTo(cell, column, look.ellipsis), column, index === laid.length - 1);
    });
    return last?.cut === 'wrap' ? wrapped(row, cells.slice(0, -1).flat(), last, look.columns) : [cells.flat()];
  };
  return Array.from({ length: rows.length + 1 }, (_, row) => linesAt(row))
    .flat()
    .map((line) => `${renderLine(line, look.paint).trimEnd()}\n`)
    .join('');
};

/** Facts of one thing: names dim and aligned, values whole. Entries without a value are left out. */
export const renderFacts = (facts: readonly (readonly [string, Line | undefined])[], paint: Paint): string => {
  const shown = facts.filter(
    (fact): fact is readonly [string, Line] => fact[1] !== undefined && lineWidth(fact[1]) > 0,
  );
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${renderLine(value, paint)}\n`).join('');
};
