import { type Line, renderLine, span, wrap } from '../output/line.ts';
import { createPaint, marksFor } from '../output/paint.ts';
import type { CliDeps, OutputStream } from '../runtime/deps.ts';
import { frame } from './frame.ts';
import type { MigrationView } from './monitor.ts';
import type { WatchPrinter } from './printer.ts';
import { createScreen } from './screen.ts';
import { verdictOf } from './verdict.ts';

/** For a person at a terminal: one picture redrawn in place, and the verdicts below it when all have ended. */
export const createTerminalPrinter = (env: CliDeps['env'], stream: OutputStream): WatchPrinter => {
  const paint = createPaint(env, stream.isTty);
  const marks = marksFor(env, stream.isTty);
  const screen = createScreen(stream, paint);
  let last: readonly MigrationView[] = [];

  const verdictLines = (view: MigrationView): Line[] => {
    const { tone, ok, sentences } = verdictOf(view.migration);
    const [first = '', ...others] = sentences;
    const width = Math.max(20, stream.columns() - 3);
    const mark = ok ? marks.done : marks.failed;
    return [
      ...wrap(first, width).map((text, index) => [span(index === 0 ? `${mark} ` : '  ', tone), span(text, 'bold')]),
      ...others.flatMap((sentence) => wrap(sentence, width).map((text) => [span('  '), span(text)])),
    ];
  };

  return {
    update: (views, trouble) => {
      last = views;
      screen.draw(frame(views, trouble, { columns: stream.columns(), rows: stream.rows(), marks }));
    },
    close: () => {
      screen.close();
      for (const view of last.filter((one) => one.ended)) {
        stream.write(
          `\n${verdictLines(view)
            .map((line) => `${renderLine(line, paint)}\n`)
            .join('')}`,
        );
      }
    },
  };
};
