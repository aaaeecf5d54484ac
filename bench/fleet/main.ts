import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isClosed, isEnded, type Migration } from '../../domain/migration/migration.ts';
import { type Calls, countCalls } from './calls.ts';
import { type Ground, prepareGround } from './ground.ts';

/**
 * `npm run bench:fleet [-- --migrations 100 --json]`: that many migrations at once between four agents of an embedded cloud, each
 * slow enough to make ten progress reports; the time to all done, and what each costs the control plane.
 */
const { values } = parseArgs({
  options: {
    migrations: { type: 'string', default: '100' },
    /** Seconds between two progress reports; ten of them are how long a copy takes. */
    interval: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const COUNT = Number(values.migrations);
const HOSTS = ['alpha', 'beta', 'gamma', 'delta'];
const MIB = 1024 * 1024;
const DATA_MIB = 4;
const REPORTS = 10;
const INTERVAL_SECONDS = Number(values.interval);
const BYTES_PER_SECOND = Math.round((DATA_MIB * MIB) / (REPORTS * INTERVAL_SECONDS));
const ASKED_AT_ONCE = 10;
const LOOK_EVERY_MS = 500;
/** DynamoDB writes that a copy with ten reports may take (design section 8). */
const MOST_WRITES = 45;

const until = async (probe: () => Promise<boolean>): Promise<void> => {
  while (!(await probe())) await sleep(LOOK_EVERY_MS);
};

const makeVolume = async ({ post, store, directory }: Ground, host: string): Promise<string> => {
  const made = await post<{ volume: { id: string } }>('/volumes', {
    volume: { size: 1 },
    'OS-SCH-HNT:scheduler_hints': { volmove_pool: `${host}@files#main` },
  });
  const { id } = made.volume;
  await until(async () => (await store.volumes.get(id))?.location != null);
  const name = (await store.volumes.get(id))?.location?.objectName;
  const handle = await open(join(directory, host, 'pool', `${name}.img`), 'r+');
  try {
    for (let i = 0; i < DATA_MIB; i++) await handle.write(randomBytes(MIB), 0, MIB, i * 50 * MIB);
  } finally {
    await handle.close();
  }
  return id;
};

const hostOf = (nth: number): string => HOSTS[nth % HOSTS.length] ?? '';

const inBatches = async <T, R>(all: readonly T[], act: (one: T, nth: number) => Promise<R>): Promise<R[]> => {
  const done: R[] = [];
  while (done.length < all.length) {
    const first = done.length;
    const batch = all.slice(first, first + ASKED_AT_ONCE);
    done.push(...(await Promise.all(batch.map((one, i) => act(one, first + i)))));
  }
  return done;
};

const moveAll = async (ground: Ground, volumes: readonly string[], calls: Calls, ids: Map<string, string>) => {
  calls.reset();
  const began = performance.now();
  await inBatches(volumes, async (id, nth) => {
    const migration = {
      volume_id: id,
      destination: `${hostOf(nth + 1)}@files#main`,
      progress_interval_seconds: INTERVAL_SECONDS,
      bandwidth_bytes_per_second: BYTES_PER_SECOND,
    };
    ids.set(id, (await ground.post<{ migration: { id: string } }>('/migrations', { migration })).migration.id);
  });
  const acceptedSeconds = (performance.now() - began) / 1000;
  let copyingAtOnce = 0;
  let doneSeconds = 0;
  let all: Migration[] = [];
  await until(async () => {
    all = await ground.store.migrations.all();
    const copying = all.filter(({ stage }) => stage.state === 'running' && stage.phase === 'copying').length;
    copyingAtOnce = Math.max(copyingAtOnce, copying);
    if (doneSeconds === 0 && all.every(isEnded)) doneSeconds = (performance.now() - began) / 1000;
    return all.every(isClosed);
  });
  return { all, copyingAtOnce, acceptedSeconds, doneSeconds, closedSeconds: (performance.now() - began) / 1000 };
};

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const sumOf = (calls: Calls, wanted: RegExp): number =>
  [...calls.operations].filter(([name]) => wanted.test(name)).reduce((sum, [, count]) => sum + count, 0);

const ids = new Map<string, string>();
const calls = countCalls((volumeId) => ids.get(volumeId));
// each agent is the source of its share, and all of them copy at once
const ground = await prepareGround(HOSTS, Math.ceil(COUNT / HOSTS.length), calls.heard);
try {
  const nths = Array.from({ length: COUNT }, (_, nth) => nth);
  const volumes = await inBatches(nths, (nth) => makeVolume(ground, hostOf(nth)));
  const moved = await moveAll(ground, volumes, calls, ids);
  const poolWrites = calls.sharedWrites.get('POOL') ?? 0;
  const reports = await Promise.all(
    moved.all.map(async (migration) => {
      const ref = migration.jobs.find(({ kind }) => kind === 'data.copy');
      return (ref && (await ground.store.jobs.get(ref.hostId, ref.jobId))?.progress?.n) ?? 0;
    }),
  );
  const writes = [...calls.writes.values()];
  const rows = {
    migrations: COUNT,
    succeeded: moved.all.filter(({ stage }) => stage.state === 'succeeded').length,
    copying_at_once: moved.copyingAtOnce,
    all_accepted_seconds: moved.acceptedSeconds,
    all_ended_seconds: moved.doneSeconds,
    all_closed_seconds: moved.closedSeconds,
    progress_reports_median: median(reports),
    table_writes_median: median(writes),
    table_writes_most: Math.max(...writes),
    ...Object.fromEntries(
      [...calls.writesByKind].map(([kind, count]) => [`table_writes_${kind.toLowerCase()}_mean`, count / COUNT]),
    ),
    table_writes_reservation_mean: poolWrites / COUNT,
    sqs_send_mean: sumOf(calls, /^AmazonSQS\.SendMessage/) / COUNT,
    send_task_mean: sumOf(calls, /^AWSStepFunctions\.SendTask/) / COUNT,
  };
  for (const [what, value] of Object.entries(rows)) {
    const row = { what, value: Math.round(value * 100) / 100 };
    process.stdout.write(`${values.json ? JSON.stringify(row) : `${what.padEnd(32)}${row.value}`}\n`);
  }
  if (!values.json)
    for (const [name, count] of [...calls.operations].sort(([, a], [, b]) => b - a))
      process.stdout.write(`  ${name.padEnd(40)}${count}\n`);
  const tooMany = median(writes) + poolWrites / COUNT > MOST_WRITES;
  process.exitCode = rows.succeeded === COUNT && !tooMany ? 0 : 1;
} finally {
  await ground.close();
}
