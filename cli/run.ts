import { CommanderError } from 'commander';
import { type ErrorReport, reportOf } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { harmlessLines, wrap } from './output/line.ts';
import { createPaint, marksFor } from './output/paint.ts';
import { fillIn, namesIn } from './output/remedy.ts';
import { createProgram } from './program.ts';
import { createRunner } from './runtime/command.ts';
import type { CliDeps } from './runtime/deps.ts';

/** Runs one command line and resolves with its exit code; every error ends here, as words and a number. */

const HELP_OR_VERSION = new Set(['commander.helpDisplayed', 'commander.version']);

const usageReport = (error: CommanderError, args: readonly string[]): ErrorReport => {
  const [first = '', ...suggestions] = error.message.replace(/^error: /u, '').split('\n');
  const command = args.find((arg) => !arg.startsWith('-'));
  const known = error.code !== 'commander.unknownCommand' && command !== undefined;
  const help = `See: volmove ${known ? `${command} ` : ''}--help`;
  const hint = suggestions.map((line) => line.trim()).filter((line) => line !== '');
  return {
    exitCode: EXIT.usage,
    code: 'Usage',
    message: `${first.charAt(0).toUpperCase()}${first.slice(1)}`,
    remedy: [...hint.map((line) => line.replace(/^\((.*)\)$/u, '$1')), help].join(' '),
  };
};

const printReport = (deps: CliDeps, report: ErrorReport, json: boolean): void => {
  const { code, message, remedy, exitCode } = report;
  if (json) {
    deps.stderr.write(`${JSON.stringify({ error: { code, message, remedy, exit_code: exitCode } })}\n`);
    return;
  }
  const paint = createPaint(deps.env, deps.stderr.isTty);
  const marks = marksFor(deps.env, deps.stderr.isTty);
  const width = deps.stderr.isTty ? Math.max(20, deps.stderr.columns() - 7) : Number.POSITIVE_INFINITY;
  const indented = (text: string): string[] =>
    harmlessLines(text)
      .split('\n')
      .flatMap((line) => (line.startsWith(' ') ? [line] : wrap(line, width)));
  const [first = '', ...rest] = indented(message);
  deps.stderr.write(`${paint('red', 'error:')} ${first}\n${rest.map((line) => `       ${line}\n`).join('')}`);
  const [next, ...nextRest] = remedy === null ? [] : indented(remedy);
  if (next === undefined) return;
  deps.stderr.write(
    `${paint('dim', `    ${marks.arrow.padStart(2)}`)} ${next}\n${nextRest.map((line) => `       ${line}\n`).join('')}`,
  );
};

export const runCli = async (args: readonly string[], deps: CliDeps): Promise<ExitCode> => {
  const runner = createRunner(deps);
  const program = createProgram(deps, runner);
  try {
    await program.parseAsync(args, { from: 'user' });
    return runner.exitCode();
  } catch (error) {
    if (error instanceof CommanderError && HELP_OR_VERSION.has(error.code)) return EXIT.done;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    const told = error instanceof CommanderError ? usageReport(error, args) : reportOf(error);
    const report = {
      ...told,
      remedy: told.remedy === null ? null : fillIn(told.remedy, { ...namesIn(told.message), ...runner.names() }),
    };
    printReport(deps, report, args.includes('--json'));
    if (deps.env.VOLMOVE_DEBUG && error instanceof Error) deps.stderr.write(`${error.stack ?? ''}\n`);
    return report.exitCode;
  }
};
