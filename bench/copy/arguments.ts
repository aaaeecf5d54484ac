import { optionValues, UsageError, wholeNumber } from '../command-line.ts';

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

const OPTIONS = {
  json: { type: 'boolean' },
  list: { type: 'boolean' },
  case: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  'size-mib': { type: 'string' },
  dir: { type: 'string' },
  svg: { type: 'string' },
} as const;

export const parseArguments = (args: readonly string[], known: readonly string[]): BenchOptions => {
  const values = optionValues(args, OPTIONS);
  for (const name of values.case ?? [])
    if (!known.includes(name)) throw new UsageError(`there is no case '${name}'; there are: ${known.join(', ')}`);
  return {
    json: values.json ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
    cases: values.case,
    rounds: wholeNumber('rounds', values.rounds, 1, MAX_ROUNDS) ?? ROUNDS,
    sizeMib: wholeNumber('size-mib', values['size-mib'], 1, MAX_SIZE_MIB),
    dir: values.dir,
    svg: values.svg,
  };
};
