import { optionValues, wholeNumber } from '../../bench/command-line.ts';

/** The command line of the simulation. */
export interface SimOptions {
  readonly seeds: number;
  readonly from: number;
  /** Undefined: as many threads as there are processors. */
  readonly jobs: number | undefined;
  /** This story alone, with its whole schedule. */
  readonly seed: number | undefined;
  /** So many migrations at once, undisturbed. */
  readonly fleet: number | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

const SEEDS = 100;

export const USAGE = `npm run sim -- [--seeds N] [--from S] [--jobs J] [--json]
npm run sim -- --seed X
npm run sim -- --fleet N [--json]

Simulates the control plane and the agents' jobs under faults that a seed draws, and judges every story by its end and on its
way. The last line is "N seeds, V violations"; status 1 on any.

  --seeds N   how many stories (${SEEDS})
  --from S    the first one's seed (1)
  --jobs J    threads (one for each processor); which tells which story makes no difference
  --seed X    that story alone, with its whole schedule
  --fleet N   N migrations at once, undisturbed: whether all get through, and what each costs the control plane
  --json      one object in place of lines`;

export const parseSim = (args: readonly string[]): SimOptions => {
  const text = { type: 'string' } as const;
  const values = optionValues(args, {
    seeds: text,
    from: text,
    jobs: text,
    seed: text,
    fleet: text,
    json: { type: 'boolean' },
  });
  return {
    seeds: wholeNumber('seeds', values.seeds, 1) ?? SEEDS,
    from: wholeNumber('from', values.from, 0) ?? 1,
    jobs: wholeNumber('jobs', values.jobs, 1),
    seed: wholeNumber('seed', values.seed, 0),
    fleet: wholeNumber('fleet', values.fleet, 1),
    json: values.json ?? false,
    help: values.help ?? false,
  };
};
