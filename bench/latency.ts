import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { type Rig, startRig } from '../test/system/rig.ts';

/**
 * `npm run bench:latency [-- --json]`: from POST to success, shows a second, and memory, on the embedded cloud. The peer's
 * figures are those of a Cinder 21.3 all-in-one measured on 2 cores (docs/performance.md).
 */
interface Row {
  readonly case: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly unit: string;
}

const ROUNDS = 7;
const MIB = 1024 * 1024;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const rssOf = (pid: number | undefined, field: string): number => {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((l) => l.startsWith(field));
  return Number(/\d+/.exec(line ?? '')?.[0]) / 1024;
};

const migrateOnce = async (rig: Rig, id: string, to: string, pollMs = 5): Promise<number> => {
  const began = performance.now();
  const migration = await rig.migrate(id, to);
  for (;;) {
    const { state, reason } = await rig.migration(migration);
    if (state === 'succeeded') break;
    if (state === 'failed') throw new Error(reason?.message);
    await sleep(pollMs);
  }
  const tookMs = performance.now() - began;
  await rig.ended(migration);
  return tookMs / 1000;
};

const moves = async (rig: Rig, mebibytes: number, sizeGib = 1): Promise<number> => {
  const id = await rig.create('alpha', sizeGib);
  for (let i = 0; i < mebibytes; i++) await rig.write(id, i * 7 * MIB, randomBytes(MIB));
  const took: number[] = [];
  await migrateOnce(rig, id, 'beta');
  for (let round = 0; round < ROUNDS; round++)
    took.push(await migrateOnce(rig, id, round % 2 === 0 ? 'alpha' : 'beta'));
  await rig.call('DELETE', `/volumes/${id}`);
  return median(took);
};

/** Returns when the last of four has succeeded: what an agent needs for four copies shows in its peak memory. */
const fourAtOnce = async (rig: Rig): Promise<number> => {
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) {
    const id = await rig.create('alpha');
    for (let i = 0; i < 100; i++) await rig.write(id, i * 7 * MIB, randomBytes(MIB));
    ids.push(id);
  }
  // the moves are timed, and not the disk that still takes what was written for them
  execFileSync('sync');
  const began = performance.now();
  // four that ask every 5 ms are more than the cloud can answer beside its work
  await Promise.all(ids.map((id) => migrateOnce(rig, id, 'beta', 50)));
  const tookMs = performance.now() - began;
  for (const id of ids) await rig.call('DELETE', `/volumes/${id}`);
  return tookMs / 1000;
};

/** Shows by several clients at once for three seconds, or at a fixed rate; returns each one's milliseconds. */
const shows = async (rig: Rig, id: string, perSecond: number | null): Promise<{ ms: number[]; rate: number }> => {
  const ms: number[] = [];
  const began = performance.now();
  const one = async (): Promise<void> => {
    const at = performance.now();
    await rig.volume(id);
    ms.push(performance.now() - at);
  };
  const until = began + 3_000;
  if (perSecond === null) {
    const client = async (): Promise<void> => {
      while (performance.now() < until) await one();
    };
    await Promise.all(Array.from({ length: 8 }, client));
  } else {
    const running: Promise<void>[] = [];
    for (let n = 0; performance.now() < until; n++) {
      await sleep(Math.max(0, began + (n * 1000) / perSecond - performance.now()));
      running.push(one());
    }
    await Promise.all(running);
  }
  return { ms, rate: ms.length / ((performance.now() - began) / 1000) };
};

const main = async (): Promise<void> => {
  const rig = await startRig(['alpha', 'beta'], { migration_progress_report_interval: 1 });
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    const ratio =
      row.peer === null
        ? null
        : row.unit === 's' || row.unit === 'ms' || row.unit === 'MiB'
          ? row.peer / row.ours
          : row.ours / row.peer;
    if (process.argv.includes('--json'))
      console.log(
        JSON.stringify({ ...row, ours: Number(row.ours.toFixed(3)), ratio: ratio && Number(ratio.toFixed(2)) }),
      );
    else
      console.log(
        `${row.case.padEnd(56)} ${row.ours.toFixed(2).padStart(9)} ${row.unit.padEnd(4)} ${row.peer === null ? ''.padEnd(22) : `reference ${row.peer}`.padEnd(22)} ${ratio ? styleText('green', `x${ratio.toFixed(1)}`) : ''}`,
      );
  };
  try {
    add({ case: '1 GiB volume with 1 MiB of data, POST to success', ours: await moves(rig, 1), peer: null, unit: 's' });
    add({
      case: '1 GiB volume with 100 MiB of data, POST to success',
      ours: await moves(rig, 100),
      peer: 3.1,
      unit: 's',
    });
    add({
      case: '8 GiB volume with 1 GiB of data, POST to success',
      ours: await moves(rig, 1024, 8),
      peer: 11.9,
      unit: 's',
    });
    add({
      case: '4 volumes at once, 1 GiB with 100 MiB of data each',
      ours: await fourAtOnce(rig),
      peer: null,
      unit: 's',
    });
    const id = await rig.create('alpha');
    const most = await shows(rig, id, null);
    add({ case: 'volume shows, 8 clients', ours: most.rate, peer: 97, unit: '/s' });
    const steady = await shows(rig, id, 100);
    add({ case: 'volume show at 100 a second, median', ours: median(steady.ms), peer: 10, unit: 'ms' });
    add({ case: 'volume show at 100 a second, p99', ours: quantile(steady.ms, 0.99), peer: null, unit: 'ms' });
    const pids = rig.pids();
    const [cloud, alpha, beta] = [rssOf(pids.cloud, 'VmHWM'), rssOf(pids.alpha, 'VmHWM'), rssOf(pids.beta, 'VmHWM')];
    add({ case: 'peak RSS of the embedded cloud', ours: cloud, peer: null, unit: 'MiB' });
    add({ case: 'peak RSS of an agent (the larger one)', ours: Math.max(alpha, beta), peer: null, unit: 'MiB' });
    add({ case: 'peak RSS of cloud and two agents', ours: cloud + alpha + beta, peer: 895, unit: 'MiB' });
  } finally {
    await rig.stop();
  }
};

await main();
