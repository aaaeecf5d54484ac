import process from 'node:process';
import { parseArgs } from 'node:util';

/** Command lines of the programs that developers run: what is wrong is said in one sentence, for exit status 2. */

/** A command line that cannot be meant; its message stands for itself. */
export class UsageError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UsageError';
  }
}

interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
}
const HELP = { help: { type: 'boolean', short: 'h' } } as const;

/** The values of the options, `--help` among them, which every program has. Throws `UsageError`. */
export const optionValues = <O extends Record<string, Option>>(args: readonly string[], options: O) => {
  try {
    return parseArgs({ args: [...args], options: { ...options, ...HELP }, strict: true, allowPositionals: false })
      .values;
  } catch (error) {
    // its first sentence is the reason; what follows is advice about quoting
    throw new UsageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
};

/** Undefined stays undefined. Throws `UsageError` on anything but a whole number in the range. */
export const wholeNumber = (
  name: string,
  text: string | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/u.test(text) || value < least || value > most) {
    const end = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
    throw new UsageError(`--${name} takes a whole number from ${least}${end}, not '${text}'`);
  }
  return value;
};

/** What such a program has of its process. */
export interface Front {
  readonly args: readonly string[];
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);
export const processFront = (): Front => ({ args: process.argv.slice(2), say, complain });

/** `run` with the parsed options; help and what cannot be meant are answered here. Gives the exit status. */
export const runProgram = async <O extends { readonly help: boolean }>(
  { args, say, complain }: Front,
  usage: string,
  parse: (args: readonly string[]) => O,
  run: (options: O) => Promise<number>,
): Promise<number> => {
  try {
    const options = parse(args);
    if (!options.help) return await run(options);
    say(usage);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`error: ${error.message}`);
    return 2;
  }
};
