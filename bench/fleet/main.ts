import process from 'node:process';
import { processFront, runProgram, say } from '../command-line.ts';
import { type FleetOptions, parseFleet, USAGE } from './arguments.ts';
import { type Calls, countCalls } from './calls.ts';
import { prepareGround } from './ground.ts';
import { HOSTS, type Moved, makeVolumes, moveAll } from './move.ts';

/** `npm run bench:fleet`: many migrations at once; the time to all done, and what each costs the control plane. */

/** DynamoDB writes that a copy with ten reports may take (design section 8). */
const MOST_WRITES = 45;

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const sumOf = (calls: Calls, wanted: RegExp): number =>
  [...calls.operations].filter(([name]) => wanted.test(name)).reduce((sum, [, count]) => sum + count, 0);

const hasSucceeded = ({ stage }: Moved['all'][number]): boolean => stage.state === 'succeeded';

const rowsOf = (moved: Moved, calls: Calls, reports: readonly number[]): Record<string, number> => {
  const count = moved.all.length;
  const writes = [...calls.writes().values()];
  return {
    migrations: count,
    succeeded: moved.all.filter(hasSucceeded).length,
    copying_at_once: moved.copyingAtOnce,
    all_accepted_seconds: moved.acceptedSeconds,
    all_ended_seconds: moved.endedSeconds,
    all_closed_seconds: moved.closedSeconds,
    progress_reports_median: median(reports),
    table_writes_median: median(writes),
    table_writes_most: Math.max(...writes),
    ...Object.fromEntries(
      [...calls.writesByKind].map(([kind, n]) => [`table_writes_${kind.toLowerCase()}_mean`, n / count]),
    ),
    table_writes_reservation_mean: (calls.sharedWrites.get('POOL') ?? 0) / count,
    sqs_send_mean: sumOf(calls, /^AmazonSQS\.SendMessage/) / count,
    send_task_mean: sumOf(calls, /^AWSStepFunctions\.SendTask/) / count,
  };
};

/** What nobody wants to search for in a table of numbers. */
const failureLines = ({ all }: Moved): string[] =>
  all.flatMap(({ id, stage, story }) =>
    stage.state === 'succeeded' ? [] : [`NOT MOVED ${id}: ${stage.state}, ${JSON.stringify(story.at(-1))}`],
  );

const print = (rows: Record<string, number>, calls: Calls, json: boolean): void => {
  for (const [what, exact] of Object.entries(rows)) {
    const row = { what, value: Math.round(exact * 100) / 100 };
    say(json ? JSON.stringify(row) : `${what.padEnd(32)}${row.value}`);
  }
  if (json) return;
  for (const [name, count] of [...calls.operations].sort(([, a], [, b]) => b - a)) say(`  ${name.padEnd(40)}${count}`);
};

const main = async ({ migrations, intervalSeconds, json }: FleetOptions): Promise<number> => {
  const ids = new Map<string, string>();
  const calls = countCalls((volumeId) => ids.get(volumeId));
  // each agent is the source of its share, and all of them copy at once
  const ground = await prepareGround(HOSTS, Math.ceil(migrations / HOSTS.length), calls.heard);
  try {
    const volumes = await makeVolumes(ground, migrations);
    calls.reset();
    const moved = await moveAll(ground, volumes, intervalSeconds, (volumeId, id) => void ids.set(volumeId, id));
    const reports = await Promise.all(
      moved.all.map(async (migration) => {
        const ref = migration.jobs.find(({ kind }) => kind === 'data.copy');
        return (ref && (await ground.store.jobs.get(ref.hostId, ref.jobId))?.progress?.n) ?? 0;
      }),
    );
    const rows = rowsOf(moved, calls, reports);
    print(rows, calls, json);
    for (const line of failureLines(moved)) process.stderr.write(`${line}\n`);
    const writes = (rows.table_writes_median ?? Number.NaN) + (rows.table_writes_reservation_mean ?? Number.NaN);
    return moved.all.every(hasSucceeded) && writes <= MOST_WRITES ? 0 : 1;
  } finally {
    await ground.close();
  }
};

process.exitCode = await runProgram(processFront(), USAGE, parseFleet, main);
