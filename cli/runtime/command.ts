import { Command, InvalidArgumentError, type OptionValues } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Names } from '../output/remedy.ts';
import type { CliDeps } from './deps.ts';
import { createSession, type GlobalOptions, type Session } from './session.ts';

/** What the command files share: how a command is declared, run, and its operands parsed. */

export interface Runner {
  /** Wraps a command's body as an action; what the body resolves with becomes the exit code. */
  readonly act: <Options extends OptionValues>(
    body: (session: Session, operands: string[], options: Options) => Promise<ExitCode>,
  ) => (this: Command) => Promise<void>;
  readonly exitCode: () => ExitCode;
  /** What the command line named, so that a remedy can name it too. */
  readonly names: () => Names;
}

const namesIn = (command: Command): Names => {
  const [name] = command.registeredArguments.map((one) => one.name());
  const [text] = command.args;
  const kinds = name?.split('|') ?? [];
  return {
    ...(kinds.includes('VOLUME') ? { volume: text } : {}),
    ...(kinds.includes('MIGRATION') ? { migration: text } : {}),
  };
};

export const createRunner = (deps: CliDeps): Runner => {
  let exitCode: ExitCode = EXIT.done;
  let names: Names = {};
  return {
    act: (body) =>
      async function action(this: Command) {
        names = namesIn(this);
        exitCode = await body(createSession(deps, this.optsWithGlobals<GlobalOptions>()), this.args, this.opts());
      },
    exitCode: () => exitCode,
    names: () => names,
  };
};

/** Adds one command to the program. */
export type AddCommand = (program: Command, runner: Runner, deps: CliDeps) => void;

export const examples = (...lines: readonly string[]): string =>
  `Examples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;

const numberParser =
  (what: string, isRight: (value: number) => boolean) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!isRight(value)) throw new InvalidArgumentError(`It must be ${what}.`);
    return value;
  };

export const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  numberParser(
    most === Number.MAX_SAFE_INTEGER ? `a whole number, ${least} or more` : `a whole number from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  );

export const positive = numberParser('a number above 0', (value) => Number.isFinite(value) && value > 0);

/** commander has checked that the operand is there; this tells the type checker. */
export const operand = (operands: readonly string[], index: number): string => {
  const text = operands[index];
  if (text === undefined) throw new Error(`operand ${index} is missing`);
  return text;
};

export { Command };
