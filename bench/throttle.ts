import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { BlockDevice } from '../domain/block-device.ts';
import { copyDevice } from '../host-agent/copy/copy.ts';
import { createTokenBucket } from '../host-agent/copy/token-bucket.ts';
import { openFileDevice } from '../host-agent/device/file-device.ts';
import { type Gone, worstOfAnyWindow } from './windows.ts';

/**
 * `npm run bench:throttle [-- --json]`: how exactly a limit is kept. Real copies between two files, digest on, at several rates,
 * with a change in the middle; the worst share of the limit in any five seconds that begin two seconds after a change or later.
 * The files lie below TMPDIR: on tmpfs (TMPDIR=/dev/shm) nothing but the limit sets the pace.
 */

const MIB = 1024 * 1024;
const FILE_BYTES = 256 * MIB;
const SETTLED_MS = 2_000;
const STEP_MS = 9_000;
const ALLOWED = 0.05;

type Rate = number | null;
const CASES: readonly (readonly Rate[])[] = [
  [null, 50, null],
  [1, 4],
  [16, 3],
  [64, 200],
  [512, 100],
  [1024, 1],
];

interface Row {
  /** Null: without a limit, how fast the machine is. */
  readonly mibPerSecond: Rate;
  readonly after: string;
  readonly reached: number;
  readonly worstAbove: number;
  readonly worstBelow: number;
}

/** The file over and over: a volume that no rate comes to the end of. */
const overAndOver = (device: BlockDevice, onWritten: (bytes: number) => void): BlockDevice => ({
  ...device,
  sizeBytes: 1024 * 1024 * MIB,
  read: (offset, target, signal) => device.read(offset % FILE_BYTES, target, signal),
  async write(offset, source, signal) {
    await device.write(offset % FILE_BYTES, source, signal);
    onWritten(source.length);
  },
  async *extents(offset, lengthBytes) {
    yield { offset, lengthBytes, kind: 'data' };
  },
});

const copyFor = async (paths: { from: string; to: string }, rates: readonly Rate[]): Promise<Gone[]> => {
  const gone: Gone[] = [];
  const began = performance.now();
  const nowMs = (): number => performance.now() - began;
  const source = await openFileDevice(paths.from, { mode: 'ro', direct: true });
  const destination = await openFileDevice(paths.to, { mode: 'rw', direct: true });
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error('time is up')), rates.length * STEP_MS);
  const wished = (): number | null => {
    const rate = rates[Math.min(rates.length - 1, Math.floor(nowMs() / STEP_MS))];
    return rate == null ? null : rate * MIB;
  };
  try {
    const written = overAndOver(destination, (bytes) => gone.push({ atMs: nowMs(), bytes }));
    await copyDevice({
      source: overAndOver(source, () => undefined),
      destination: written,
      sizeBytes: written.sizeBytes,
      destinationIsZero: true,
      onProgress: () => undefined,
      onCheckpoint: async () => undefined,
      buckets: [
        createTokenBucket({
          monotonicMs: () => performance.now(),
          sleep: (ms, signal) => sleepMs(ms, undefined, { signal }),
          rate: wished,
        }),
      ],
      whilePaused: () => undefined,
      monotonicMs: () => performance.now(),
      signal: over.signal,
    });
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    await source.close();
    await destination.close();
  }
  return gone;
};

const shown = (rate: Rate | undefined): string =>
  rate === undefined ? 'the start' : rate === null ? 'none' : `${rate}`;

const rowsOf = (gone: readonly Gone[], rates: readonly Rate[]): Row[] =>
  rates.flatMap((rate, i) => {
    const [from, until] = [i * STEP_MS + SETTLED_MS, (i + 1) * STEP_MS];
    const bytes = gone.filter(({ atMs }) => atMs >= from && atMs < until).reduce((sum, one) => sum + one.bytes, 0);
    const perSecond = rate === null ? (bytes / (until - from)) * 1000 : rate * MIB;
    const { least, most } = worstOfAnyWindow(gone, perSecond, [from, until]);
    return [
      {
        mibPerSecond: rate,
        after: shown(rates[i - 1]),
        reached: (bytes / MIB / (until - from)) * 1000,
        worstAbove: most - 1,
        worstBelow: 1 - least,
      },
    ];
  });

const verdict = ({ mibPerSecond, worstAbove, worstBelow }: Row, fastest: number): string => {
  if (mibPerSecond === null) return '';
  if (worstAbove <= ALLOWED && worstBelow <= ALLOWED) return 'ok';
  return worstAbove <= ALLOWED && mibPerSecond > fastest ? 'too fast for this machine' : 'MISSED';
};

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const table = (rows: readonly Row[]): string => {
  const fastest = Math.min(...rows.filter((row) => row.mibPerSecond === null).map((row) => row.reached));
  const cells = [
    ['limit MiB/s', 'before', 'reached', 'worst above', 'worst below', ''],
    ...rows.map((row) => [
      shown(row.mibPerSecond),
      row.after,
      row.reached.toFixed(2),
      percent(row.worstAbove),
      percent(row.worstBelow),
      verdict(row, fastest),
    ]),
  ];
  return cells
    .map((row) =>
      row
        .map((cell) => cell.padStart(12))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const directory = await mkdtemp(join(tmpdir(), 'volmove-throttle-'));
try {
  const paths = { from: join(directory, 'from.img'), to: join(directory, 'to.img') };
  await writeFile(paths.from, '');
  const file = await open(paths.from, 'r+');
  for (let at = 0; at < FILE_BYTES; at += 16 * MIB) await file.write(randomBytes(16 * MIB), 0, 16 * MIB, at);
  await file.close();
  await writeFile(paths.to, '');
  await truncate(paths.to, FILE_BYTES);
  const rows: Row[] = [];
  for (const rates of CASES) rows.push(...rowsOf(await copyFor(paths, rates), rates));
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(rows, null, 2)}\n` : `${table(rows)}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
