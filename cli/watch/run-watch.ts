import type { Migration } from '../api/types.ts';
import type { ExitCode } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { canRedraw } from '../output/paint.ts';
import type { OutputStream } from '../runtime/deps.ts';
import { listenForInterrupts } from '../runtime/interrupts.ts';
import type { Session } from '../runtime/session.ts';
import { createJsonPrinter } from './json-printer.ts';
import type { MigrationView } from './monitor.ts';
import { createPlainPrinter } from './plain-printer.ts';
import type { WatchPrinter } from './printer.ts';
import { createTerminalPrinter } from './terminal-printer.ts';
import { watch } from './watch.ts';

/** A watch as `watch` and `migrate --wait` run it: the printer that fits, Ctrl-C that detaches, and the words at the end. */

export interface RunWatch {
  readonly ids: readonly string[];
  readonly timeoutMs: number | null;
  /** `data`: progress is what was asked for (stdout). `message`: it accompanies something else (stderr, never JSON). */
  readonly as: 'data' | 'message';
}

const DRAW_EVERY_MS = 500;
const LOG_EVERY_MS = 1_000;

const printerFor = (session: Session, stream: OutputStream, as: RunWatch['as']): WatchPrinter => {
  if (session.json && as === 'data') return createJsonPrinter((migration) => session.document(migration, 'line'));
  const { env } = session.deps;
  return canRedraw(env, stream) ? createTerminalPrinter(env, stream) : createPlainPrinter(stream.write);
};

const stillRunning = (ids: readonly string[], views: readonly MigrationView[]): string => {
  const ended = new Set(views.filter((view) => view.ended).map((view) => view.migration.id));
  return ids.filter((id) => !ended.has(id)).join(' ');
};

const goesOn = (running: string): string => {
  const words = running.includes(' ') ? 'the migrations go on; watch them' : 'the migration goes on; watch it';
  return `${words} again with: ${unbroken(`volmove watch ${running}`)}`;
};

export const runWatch = async (
  session: Session,
  { ids, timeoutMs, as }: RunWatch,
): Promise<{ exitCode: ExitCode; migrations: Migration[] }> => {
  const stream = as === 'data' ? session.deps.stdout : session.deps.stderr;
  const interrupts = listenForInterrupts(session.deps);
  try {
    const result = await watch(session.client, session.deps, {
      ids,
      printer: printerFor(session, stream, as),
      everyMs: canRedraw(session.deps.env, stream) ? DRAW_EVERY_MS : LOG_EVERY_MS,
      timeoutMs,
      leave: interrupts.first,
    });
    const running = stillRunning(ids, result.views);
    if (result.kind === 'left' && running !== '') {
      session.say(`\nDetached: ${goesOn(running)}`);
    }
    if (result.kind === 'timed_out') {
      session.say(`\nTime is up: ${goesOn(running)}`);
    }
    return { exitCode: result.exitCode, migrations: result.views.map((view) => view.migration) };
  } finally {
    interrupts.stop();
  }
};
