import { isEnded } from '../../domain/migration/migration.ts';
import { createChecks } from '../helpers/sim/checks.ts';
import { drain } from '../helpers/sim/drain.ts';
import { requestMigration } from '../helpers/sim/requests.ts';
import { refusalsAside } from '../helpers/sim/script.ts';
import { createSim, neighbourId, placeOn, type Sim } from '../helpers/sim/sim.ts';
import { quiet, type Turn } from '../helpers/sim/turns.ts';

/** Many migrations at once, undisturbed: whether all get through, and what each costs the control plane. */

export interface Fleet {
  readonly migrations: number;
  readonly succeeded: number;
  readonly mostAtOnce: number;
  readonly simulatedSeconds: number;
  readonly realSeconds: number;
  /** Calls for one migration, upkeep left out. */
  readonly each: Readonly<Record<Call, number>>;
  /** Table writes of the sweeper, for all migrations together. */
  readonly sweeperWrites: number;
  /** Table writes of a copy that reports ten times. */
  readonly writesWithTenReports: number;
  readonly broken: string | undefined;
}

const CALLS = {
  'table writes': /^(writes|removes) [A-Z]+#/,
  'table reads': /^(reads|queries|lists) /,
  'queue messages': /^sends a look/,
  'SendTask calls': /^(answers|fails) /,
  StartExecution: /^starts /,
  PutEvents: /^tells /,
} as const;
type Call = keyof typeof CALLS | 'progress reports';

const REPORTS_WANTED = 10;
/** How long everybody's next step takes. */
const STEP_MS = 50;
const SWEEP_EVERY_MS = 60_000;
/** As many executions as Step Functions starts in that time. */
const REQUESTS_A_STEP = 15;

/** Counts everything that is asked for, the sweeper's apart. */
const countCalls = (sim: Sim) => {
  const counts: Record<Call, number> = {
    'table writes': 0,
    'table reads': 0,
    'queue messages': 0,
    'SendTask calls': 0,
    StartExecution: 0,
    PutEvents: 0,
    'progress reports': 0,
  };
  const upkeep = { writes: 0 };
  sim.table.watch((before, after) => {
    const was = (before?.data as { progress?: unknown } | undefined)?.progress;
    const is = (after?.data as { progress?: unknown } | undefined)?.progress;
    if (after?.sk.startsWith('JOB#') && is && JSON.stringify(is) !== JSON.stringify(was))
      counts['progress reports'] += 1;
  });
  return {
    counts,
    upkeep,
    note: ({ label, thread }: Turn): void => {
      for (const [call, pattern] of Object.entries(CALLS)) {
        if (!pattern.test(label)) continue;
        if (thread.kind !== 'upkeep') counts[call as Call] += 1;
        else if (call === 'table writes') upkeep.writes += 1;
      }
    },
  };
};

export const fleet = async (size: number): Promise<Fleet> => {
  const began = performance.now();
  const sim = await createSim({ neighbours: size, room: size });
  const checks = createChecks(sim);
  const { counts, upkeep, note } = countCalls(sim);
  const startedMs = sim.clock.nowMs();
  let asked = 0;
  const ask = (upTo: number): void => {
    for (; asked < Math.min(size, upTo); asked++) {
      const request = { volumeId: neighbourId(asked + 1), destination: placeOn(asked % 2 === 0 ? 'host-a' : 'host-b') };
      sim.spawn(`request ${asked + 1}`, 'api', (deps) => refusalsAside(requestMigration(deps, request)));
    }
  };
  let mostAtOnce = 0;
  let sweepAtMs = startedMs + SWEEP_EVERY_MS;
  for (;;) {
    ask(asked + REQUESTS_A_STEP);
    await quiet();
    for (const job of sim.agents.ready()) sim.agents.begin(job);
    const turns = sim.turns.pending();
    if (turns.length === 0) break;
    for (const turn of turns) {
      note(turn);
      await sim.turns.take(turn, 'none');
    }
    await sim.passTime(STEP_MS);
    mostAtOnce = Math.max(mostAtOnce, sim.engine.executions().filter((x) => x.status.state === 'RUNNING').length);
    if (sim.clock.nowMs() < sweepAtMs) continue;
    sweepAtMs += SWEEP_EVERY_MS;
    sim.sweep();
  }
  const simulatedSeconds = (sim.clock.nowMs() - startedMs) / 1000;
  const each = Object.fromEntries(Object.entries(counts).map(([call, n]) => [call, n / size])) as Record<Call, number>;
  const succeeded = sim.table.peek.migrations().filter((m) => isEnded(m) && m.stage.state === 'succeeded').length;
  const sweeperWrites = upkeep.writes;
  const unfinished = checks.broken() ?? (await drain(sim, checks, { everyTurn: false }));
  return {
    migrations: size,
    succeeded,
    mostAtOnce,
    simulatedSeconds,
    realSeconds: (performance.now() - began) / 1000,
    each,
    sweeperWrites,
    writesWithTenReports: each['table writes'] - each['progress reports'] + REPORTS_WANTED,
    broken: unfinished ?? (succeeded === size ? undefined : `${size - succeeded} migrations did not succeed`),
  };
};

export const fleetLines = (told: Fleet): string[] => [
  `${told.migrations} migrations, ${told.mostAtOnce} of them at once, ${told.succeeded} succeeded`,
  `${told.simulatedSeconds.toFixed(1)} s simulated at ${STEP_MS} ms a step, ${told.realSeconds.toFixed(1)} s real`,
  ...Object.entries(told.each).map(([call, n]) => `${n.toFixed(1)} ${call} each`),
  `${told.writesWithTenReports.toFixed(1)} table writes for a copy with ${REPORTS_WANTED} reports`,
  `${told.sweeperWrites} table writes of the sweeper for all`,
  ...(told.broken === undefined ? [] : [`VIOLATION ${told.broken}`]),
];
