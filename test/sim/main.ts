import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { tell } from '../helpers/sim/tell.ts';
import { fleet, fleetLines } from './fleet.ts';
import { type Found, search } from './search.ts';
import type { Told } from './worker.ts';

/**
 * npm run sim -- --seeds N --from S [--jobs J] [--json]   tells N stories; ends with "N seeds, V violations"
 * npm run sim -- --seed X                                 tells that one, with its whole schedule
 * npm run sim -- --fleet N                                N migrations at once, and what each costs the control plane
 */

const USAGE = 'usage: npm run sim -- [--seeds N] [--from S] [--jobs J] [--json] | --seed X | --fleet N';
const DEFAULT_SEEDS = 100;
const BAR_CELLS = 40;

class UsageError extends Error {}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const numberOf = (name: string, text: string | undefined, otherwise: number, least: number): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new UsageError(`--${name} takes a whole number from ${least}`);
  return value;
};

const violationLines = ({ seed, broken, lastSteps }: Told): string[] => [
  `seed ${seed}: ${broken}`,
  ...lastSteps.map((step) => `  ${step}`),
  `  replay: npm run sim -- --seed ${seed}`,
];

const bar = (total: number): ((done: number) => void) | undefined => {
  if (!process.stderr.isTTY) return undefined;
  return (done) => {
    const cells = Math.floor((done / total) * BAR_CELLS);
    const text = `[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}] ${done}/${total}`;
    process.stderr.write(done === total ? `\r${' '.repeat(text.length)}\r` : `\r${text}`);
  };
};

const asJson = ({ seeds, violations, saw, steps, seconds }: Found, from: number): string =>
  JSON.stringify({
    seeds,
    from,
    violations: violations.map(({ seed, broken, lastSteps }) => ({ seed, reason: broken, lastSteps })),
    seconds: Number(seconds.toFixed(2)),
    seedsPerSecond: Number((seeds / seconds).toFixed(1)),
    steps,
    saw: Object.fromEntries([...saw].sort(([a], [b]) => (a < b ? -1 : 1))),
  });

const tellMany = async (seeds: number, from: number, jobs: number, json: boolean): Promise<number> => {
  const onProgress = bar(seeds);
  const found = await search({ from, seeds, jobs, ...(onProgress ? { onProgress } : {}) });
  const last = `${found.seeds} seeds, ${found.violations.length} violations`;
  print(json ? asJson(found, from) : [...found.violations.flatMap(violationLines), last].join('\n'));
  return found.violations.length === 0 ? 0 : 1;
};

const tellOne = async (seed: number): Promise<number> => {
  const { broken, trace } = await tell(seed);
  for (const [at, step] of trace.entries()) print(`${String(at + 1).padStart(5)} ${step}`);
  if (broken !== undefined) print(`seed ${seed}: ${broken}`);
  print(`1 seeds, ${broken === undefined ? 0 : 1} violations`);
  return broken === undefined ? 0 : 1;
};

const main = async (): Promise<number> => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { seeds: text, from: text, jobs: text, seed: text, fleet: text, json: { type: 'boolean' } },
  });
  if (values.seed !== undefined) return tellOne(numberOf('seed', values.seed, 0, 0));
  if (values.fleet !== undefined) {
    const told = await fleet(numberOf('fleet', values.fleet, 1, 1));
    print(values.json ? JSON.stringify(told) : fleetLines(told).join('\n'));
    return told.broken === undefined ? 0 : 1;
  }
  const seeds = numberOf('seeds', values.seeds, DEFAULT_SEEDS, 1);
  const jobs = numberOf('jobs', values.jobs, availableParallelism(), 1);
  return tellMany(seeds, numberOf('from', values.from, 1, 0), jobs, values.json === true);
};

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  if (!isUsage) throw error;
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 2;
}
