import type { Migration, MigrationEvent } from '../api/types.ts';
import { renderLine, span } from '../output/line.ts';
import { createPaint, marksFor } from '../output/paint.ts';
import { rate } from '../output/units.ts';
import { amounts, bar } from '../watch/bar.ts';
import { zeroingOf } from '../watch/monitor.ts';

/**
 * What the demo shows while a volume moves: events as they come, and below them a bar that is redrawn where the terminal can,
 * a line for each step where not.
 */
export interface Narrator {
  say(line: string): void;
  event(event: MigrationEvent): void;
  progress(migration: Migration): void;
  /** Ends the bar's line. */
  rest(): void;
}

export interface NarratorDeps {
  readonly print: (line: string) => void;
  /** Undefined where nothing can be redrawn. */
  readonly draw: ((text: string) => void) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const BAR_WIDTH = 30;
const CLEAR = '\r\u001b[2K';

const words = ({ detail_type, detail }: MigrationEvent): string => {
  const at = String(detail.at).slice(11, 23);
  const what = detail_type.replace('Volume Migration ', '');
  const { percent, phase, result } = detail as { percent?: number; phase?: string; result?: string };
  const more = [phase, percent === undefined ? undefined : `${percent} %`, result]
    .filter((x) => x !== undefined)
    .join(' ');
  return `    ${at}  ${what.padEnd(9)} ${more}`;
};

export const createNarrator = ({ print, draw, env }: NarratorDeps): Narrator => {
  const paint = createPaint(env, draw !== undefined);
  const marks = marksFor(env, draw !== undefined);
  let bared = '';
  const clear = (): void => {
    if (bared !== '') draw?.(CLEAR);
  };
  const say = (line: string): void => {
    clear();
    print(line);
    if (bared !== '') draw?.(bared);
  };
  return {
    say,
    event: (event) => say(renderLine([span(words(event), 'dim')], paint)),
    progress(migration) {
      if (!draw) return;
      const done = migration.state === 'succeeded';
      const { progress } = migration;
      const percent = done ? 100 : Math.min(99, progress?.percent ?? 0);
      const moved = progress
        ? `${amounts({ doneBytes: progress.done_bytes, totalBytes: progress.total_bytes, zeroing: zeroingOf(progress) })}  ${rate(progress.rate_bytes_per_second)}`
        : '';
      const line = [
        span(`    ${migration.phase.padEnd(11)} `, 'bold'),
        ...bar(percent, BAR_WIDTH, marks),
        span(` ${String(percent).padStart(3)} %  ${done ? '' : moved}`),
      ];
      clear();
      bared = renderLine(line, paint);
      draw(bared);
    },
    rest() {
      if (bared !== '') draw?.('\n');
      bared = '';
    },
  };
};
