import { parseArgs } from 'node:util';

/** The command line of the bench. What is wrong with it is said in one sentence, for exit status 2. */
export interface BenchOptions {
  readonly json: boolean;
  readonly list: boolean;
  readonly help: boolean;
  /** Undefined: all of them. */
  readonly cases: readonly string[] | undefined;
  readonly rounds: number;
  /** In place of each case's own size. */
  readonly sizeMib: number | undefined;
  /** On the disk that is to be measured; undefined: the system's directory for temporary files. */
  readonly dir: string | undefined;
  readonly svg: string | undefined;
}

export const ROUNDS = 7;
const MAX_ROUNDS = 1000;
const MAX_SIZE_MIB = 1024 * 1024;

export const USAGE = `npm run bench:copy -- [--case NAME]... [--rounds N] [--size-mib N] [--dir DIR] [--svg FILE] [--json] [--list]

  --case NAME    only this case; may be given many times
  --list         the names of the cases
  --rounds N     how often everyone runs in each case (${ROUNDS})
  --size-mib N   size of every volume, in place of the cases' own
  --dir DIR      where the disk is that is to be measured (the directory for temporary files)
  --svg FILE     where the chart goes (docs/bench-copy.svg, of a run of all cases only)
  --json         one row a line in place of the tables`;

/** A command line that cannot be meant; its message stands for itself. */
export class UsageError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UsageError';
  }
}

const OPTIONS = {
  json: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  case: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  'size-mib': { type: 'string' },
  dir: { type: 'string' },
  svg: { type: 'string' },
} as const;

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // its first sentence is the reason; what follows is advice about quoting
    throw new UsageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
};

const count = (name: string, text: string | undefined, most: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new UsageError(`${name} takes a whole number from 1 to ${most}, not '${text}'`);
  return value;
};

export const parseArguments = (args: readonly string[], known: readonly string[]): BenchOptions => {
  const values = parsed(args);
  for (const name of values.case ?? [])
    if (!known.includes(name)) throw new UsageError(`there is no case '${name}'; there are: ${known.join(', ')}`);
  return {
    json: values.json ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
    cases: values.case,
    rounds: count('--rounds', values.rounds, MAX_ROUNDS) ?? ROUNDS,
    sizeMib: count('--size-mib', values['size-mib'], MAX_SIZE_MIB),
    dir: values.dir,
    svg: values.svg,
  };
};
