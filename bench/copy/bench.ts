import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, ROUNDS } from './arguments.ts';
import { CASES, withSize } from './cases.ts';
import { OURS } from './contenders/ours.ts';
import { describeMachine, machineText } from './machine.ts';
import { measureCase } from './measure/measure-case.ts';
import { startUpSeconds } from './measure/start-up.ts';
import { bundleOurs } from './ours/bundle.ts';
import { chart } from './report/chart.ts';
import type { Row } from './report/rows.ts';
import { createScratch } from './scratch.ts';
import type { Screen } from './screen.ts';

/** All the cases that are wanted, one after the other, each shown when it has ended. */
const CHART = fileURLToPath(new URL('../../docs/bench-copy.svg', import.meta.url));

/** What was left small or short must not replace the chart in the documents. */
const isFull = ({ cases, sizeMib, rounds }: BenchOptions): boolean =>
  cases === undefined && sizeMib === undefined && rounds >= ROUNDS;

/** A peer that fails is its own matter. */
const isOurFault = (row: Row): boolean =>
  row.kind === 'left out' && row.failed && (row.contender === null || row.contender === OURS);

interface Result {
  readonly rows: readonly Row[];
  readonly machine: readonly string[];
}

const measureAll = async (options: BenchOptions, screen: Screen, signal: AbortSignal): Promise<Result> => {
  const scratch = await createScratch(options.dir, Date.now());
  try {
    const bundle = await bundleOurs(randomUUID());
    try {
      const rows: Row[] = [];
      const deps = {
        scratch,
        ours: bundle.path,
        rounds: options.rounds,
        onRun: (what: string) => screen.running(what),
        signal,
      };
      const start = await startUpSeconds(deps);
      const machine = [
        ...machineText(describeMachine(scratch.disk)),
        `volmove stands by, as an agent does: its start, ${start.toFixed(2)} s, is in none of its times, but in its CPU`,
      ];
      screen.machine(machine);
      for (const one of CASES.filter(({ name }) => options.cases?.includes(name) ?? true)) {
        const measured = await measureCase(withSize(one, options.sizeMib), deps);
        screen.rows(one.name, measured);
        rows.push(...measured);
      }
      return { rows, machine };
    } finally {
      await bundle.remove();
    }
  } finally {
    await scratch.remove();
    screen.done();
  }
};

/** The exit status: 1 when we could not do what we are there for. */
export const bench = async (options: BenchOptions, screen: Screen, signal: AbortSignal): Promise<number> => {
  const { rows, machine } = await measureAll(options, screen, signal);
  const path = options.svg ?? (isFull(options) ? CHART : undefined);
  if (path !== undefined) await writeFile(path, chart(rows, machine));
  return rows.some(isOurFault) ? 1 : 0;
};
