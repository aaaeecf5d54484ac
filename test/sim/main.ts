import { availableParallelism } from 'node:os';
import process from 'node:process';
import { processFront, runProgram, say } from '../../bench/command-line.ts';
import { tell } from '../helpers/sim/tell.ts';
import { parseSim, type SimOptions, USAGE } from './arguments.ts';
import { fleet, fleetLines } from './fleet.ts';
import { type Found, search } from './search.ts';
import { SIMULATED, seenLines } from './words.ts';
import type { Told } from './worker.ts';

/** `npm run sim`: many stories, one of them, or many migrations at once. */

const BAR_CELLS = 40;

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

const tellMany = async ({ seeds, from, jobs = availableParallelism(), json }: SimOptions): Promise<number> => {
  const onProgress = bar(seeds);
  if (!json) say(SIMULATED);
  const found = await search({ from, seeds, jobs, ...(onProgress ? { onProgress } : {}) });
  const { violations, saw, seconds } = found;
  const last = `${found.seeds} seeds, ${violations.length} violations`;
  const lines = [
    ...seenLines(saw, found.seeds),
    ...violations.flatMap(violationLines),
    `${seconds.toFixed(1)} s, ${(found.seeds / seconds).toFixed(1)} stories a second`,
    last,
  ];
  say(json ? asJson(found, from) : lines.join('\n'));
  return violations.length === 0 ? 0 : 1;
};

const tellOne = async (seed: number): Promise<number> => {
  const { broken, trace } = await tell(seed);
  for (const [at, step] of trace.entries()) say(`${String(at + 1).padStart(5)} ${step}`);
  if (broken !== undefined) say(`seed ${seed}: ${broken}`);
  say(`1 seeds, ${broken === undefined ? 0 : 1} violations`);
  return broken === undefined ? 0 : 1;
};

const tellFleet = async (size: number, json: boolean): Promise<number> => {
  const told = await fleet(size);
  say(json ? JSON.stringify(told) : fleetLines(told).join('\n'));
  return told.broken === undefined ? 0 : 1;
};

process.exitCode = await runProgram(processFront(), USAGE, parseSim, async (options) => {
  if (options.seed !== undefined) return tellOne(options.seed);
  if (options.fleet !== undefined) return tellFleet(options.fleet, options.json);
  return tellMany(options);
});
