import { harmless } from '../../domain/harmless.ts';
import { clip, type Line, lineWidth, type Span, span, wrap } from '../output/line.ts';
import type { Marks, Tone } from '../output/paint.ts';
import { bytes, duration } from '../output/units.ts';
import { amounts, bar, speed, standstill } from './bar.ts';
import type { MigrationView } from './monitor.ts';
import type { PhaseRow, PhaseState } from './phases.ts';

/** One picture of all watched migrations: pure, so that it can be read in a test. As many lines as the window has, or fewer. */

export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly marks: Marks;
}

const NAME_WIDTH = 13;
const MAX_BAR = 40;

const markOf = (state: PhaseState, marks: Marks): Span => {
  const tones: Readonly<Record<PhaseState, Tone>> = {
    done: 'green',
    active: 'cyan',
    pending: 'dim',
    failed: 'red',
    skipped: 'dim',
    unreached: 'dim',
  };
  return span(marks[state], tones[state]);
};

const words = (name: string): string => name.replaceAll('_', ' ');

const header = (view: MigrationView, marks: Marks): Line => {
  const { migration } = view;
  const route = `${migration.source} ${marks.arrow} ${migration.destination}`;
  return [
    span(view.label, 'bold'),
    span(`  ${bytes(migration.size_bytes)}  ${route}`),
    span(migration.locked ? '  locked' : '', 'dim'),
    span(migration.run > 1 ? `  run ${migration.run}` : '', 'dim'),
    span(migration.cancel_wished && !view.ended ? '  cancelling' : '', 'yellow'),
    span(view.pause === undefined ? '' : `  ${view.pause}`, 'yellow'),
  ];
};

const timeOf = (row: PhaseRow): string => {
  if (row.tookMs !== null) return duration(row.tookMs);
  return row.state === 'pending' ? '' : row.state === 'unreached' ? 'not reached' : 'skipped';
};

const phaseLine = (row: PhaseRow, view: MigrationView, marks: Marks): Line => {
  const { progress } = view;
  const attempt = row.state === 'active' && progress?.phase === row.name && progress.attempt > 1 ? progress.attempt : 0;
  return [
    span('  '),
    markOf(row.state, marks),
    span(` ${words(row.name).padEnd(NAME_WIDTH)}`, row.tookMs === null ? 'dim' : undefined),
    span(timeOf(row), 'dim'),
    span(attempt > 0 ? `  attempt ${attempt}` : '', 'yellow'),
  ];
};

const barLines = (row: PhaseRow, view: MigrationView, { columns, marks }: Canvas): Line[] => {
  const { progress } = view;
  if (row.state !== 'active' || progress === null || progress.phase !== row.name) return [];
  const text = span(`  ${String(progress.percent).padStart(2)} %  ${amounts(progress)}  ${speed(progress)}`);
  const width = Math.min(MAX_BAR, columns - 4 - lineWidth([text]) - 1);
  const drawn = width >= 5 ? bar(progress.percent, width, marks) : [];
  const stop = standstill(view);
  return [[span('    '), ...drawn, text], ...(stop === undefined ? [] : [[span('    '), span(stop, 'yellow')]])];
};

const cleanupLine = (view: MigrationView, marks: Marks): Line[] => {
  const { state } = view.migration.cleanup;
  if (!view.ended || state === 'none') return [];
  const row: PhaseState = state === 'pending' ? 'active' : state === 'done' ? 'done' : 'failed';
  const note = state === 'needs_you' ? 'needs you' : '';
  return [[span('  '), markOf(row, marks), span(` ${'cleaning up'.padEnd(NAME_WIDTH)}`), span(note, 'red')]];
};

const block = (view: MigrationView, canvas: Canvas): Line[] => [
  header(view, canvas.marks),
  ...view.phases.flatMap((row) => [phaseLine(row, view, canvas.marks), ...barLines(row, view, canvas)]),
  ...cleanupLine(view, canvas.marks),
];

const overallMark = (view: MigrationView): PhaseState => {
  if (!view.ended) return 'active';
  return view.migration.state === 'succeeded' ? 'done' : 'failed';
};

/** One line for one migration, where the window is too low for its phases. */
const compact = (view: MigrationView, labelWidth: number, { marks }: Canvas): Line => {
  const { progress, migration } = view;
  const shown = progress !== null && (progress.phase === migration.phase || view.ended) ? progress : null;
  return [
    markOf(overallMark(view), marks),
    span(` ${view.label.padEnd(labelWidth)}`, 'bold'),
    span(`  ${words(migration.phase).padEnd(NAME_WIDTH)}`),
    ...(shown === null ? [] : [...bar(shown.percent, 10, marks), span(` ${String(shown.percent).padStart(3)} %`)]),
    ...(shown === null || view.ended ? [] : [span(`  ${standstill(view) ?? `${amounts(shown)}  ${speed(shown)}`}`)]),
  ];
};

const compactLines = (views: readonly MigrationView[], canvas: Canvas, room: number): Line[] => {
  const labelWidth = Math.min(24, Math.max(...views.map((view) => view.label.length)));
  const ordered = [...views.filter((view) => !view.ended), ...views.filter((view) => view.ended)];
  const fits = ordered.length <= room ? ordered : ordered.slice(0, Math.max(0, room - 1));
  const more = ordered.length - fits.length;
  const rest: Line[] = more === 0 ? [] : [[span(`and ${more} more`, 'dim')]];
  return [...fits.map((view) => compact(view, labelWidth, canvas)), ...rest];
};

export const frame = (views: readonly MigrationView[], trouble: string | null, canvas: Canvas): Line[] => {
  const troubled =
    trouble === null ? [] : wrap(harmless(trouble), canvas.columns).slice(0, Math.max(1, canvas.rows - 2));
  const note: Line[] = troubled.map((text) => [span(text, 'yellow')]);
  const room = Math.max(1, canvas.rows - 1 - note.length);
  const full = views.flatMap((view, index) => [...(index === 0 ? [] : [[]]), ...block(view, canvas)]);
  const lines = full.length <= room ? full : compactLines(views, canvas, room);
  return [...lines, ...note].map((line) => clip(line, Math.max(1, canvas.columns), canvas.marks.ellipsis));
};
