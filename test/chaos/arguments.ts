import { optionValues, wholeNumber } from '../../bench/command-line.ts';

/** The command line of the chaos runs. */
export interface ChaosOptions {
  readonly rounds: number;
  /** Undefined: one that nobody chose. */
  readonly seed: number | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

const ROUNDS = 100;

export const USAGE = `npm run chaos -- [--rounds N] [--seed S] [--json]

Real agents and a real embedded cloud are killed, frozen and woken while volumes move and guests write; each round ends in a
judgement: everything terminal, contents equal, nothing left over. The last line is "N rounds, V violations"; status 1 on any.

  --rounds N   how many (${ROUNDS})
  --seed S     draws the faults of an earlier run again; when they strike depends on the machine
  --json       the whole report as one object`;

export const parseChaos = (args: readonly string[]): ChaosOptions => {
  const values = optionValues(args, {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean' },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds, 1) ?? ROUNDS,
    seed: wholeNumber('seed', values.seed, 0),
    json: values.json ?? false,
    help: values.help ?? false,
  };
};
