import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { BlockDevice } from '../../domain/block-device.ts';
import { createChildren } from '../../host-agent/children/child.ts';
import { LVM_BACKEND } from '../../host-agent/drivers/lvm/config.ts';
import { lvmDriver } from '../../host-agent/drivers/lvm/driver.ts';
import { openChildJournal } from '../../host-agent/journal/children.ts';
import { openKnownPools } from '../../host-agent/journal/known-pools.ts';
import { createRunTool } from '../../host-agent/tools/run-tool.ts';
import { plainCopy } from '../plain-copy.ts';

const MIB = 1024 * 1024;
const SIZE_BYTES = 10 * 1024 * MIB;
const PIECES = 256;
const ROUNDS = Number(process.argv[2] ?? 3);
const NEVER = new AbortController().signal;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const run = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), 'bench-'));
const monotonicMs = (): number => performance.now();
const pools = ['source', 'destination'].map((name) => ({ name, vg: `bench_${name}`, thin_pool: 'pool' }));
const { pools: configured } = LVM_BACKEND.parse({ name: 'lvm', driver: 'lvm', pools });
const driver = lvmDriver({
  backend: 'lvm',
  pools: configured,
  commandTimeoutMs: 60_000,
  deps: {
    knownPools: await openKnownPools(directory),
    runTool: createRunTool(PATH),
    children: createChildren({ journal: await openChildJournal(directory), path: PATH }),
    runDir: directory,
    monotonicMs,
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, { signal });
    },
  },
});

for (const [i, { vg }] of configured.entries()) {
  await run('vgcreate', ['-y', vg, `/dev/ubd${'bc'[i]}`]);
  await run('lvcreate', ['-y', '-L', '2500M', '-T', `${vg}/pool`]);
}

/** 1 GiB of data, in pieces that begin so far from each other. */
const filled = async (objectName: string, sizeBytes: number, strideMib: number) => {
  const volume = { pool: 'source', objectName };
  await driver.create({ ...volume, sizeBytes }, NEVER);
  const handle = await open((await driver.path(volume)) ?? '', 'r+');
  for (let i = 0; i < PIECES; i += 1) await handle.write(randomBytes(4 * MIB), 0, 4 * MIB, i * strideMib * MIB);
  await handle.sync();
  await handle.close();
  return volume;
};
const SOURCE = await filled('volume', SIZE_BYTES, 40);
/** The same amount of data without a hole: what nobody can leave out. */
const PACKED = await filled('packed', PIECES * 4 * MIB, 4);

const byDd = async (from: string, to: string): Promise<number> => {
  const began = monotonicMs();
  await run('dd', [`if=${from}`, `of=${to}`, 'bs=1M', 'iflag=direct', 'oflag=direct', 'conv=sparse,fsync']);
  return monotonicMs() - began;
};

const byVolmove = async (destination: { pool: string; objectName: string }): Promise<number> => {
  const began = monotonicMs();
  const source = await driver.open(SOURCE, 'ro', NEVER);
  const target = await driver.open(destination, 'rw', NEVER);
  const openedMs = monotonicMs() - began;
  let flushes = 0;
  let flushedMs = 0;
  const watched: BlockDevice = {
    ...target.device,
    async flush(signal) {
      const from = monotonicMs();
      await target.device.flush(signal);
      flushes += 1;
      flushedMs += monotonicMs() - from;
    },
  };
  const { bytes } = await plainCopy(source.device, watched, SIZE_BYTES);
  const tookMs = monotonicMs() - began;
  console.log(
    `volmove: ${(openedMs / 1000).toFixed(2)} s until both are open; ${flushes} flushes for checkpoints took ${(flushedMs / 1000).toFixed(2)} s, beside the copy`,
  );
  console.log(`volmove read ${(bytes.read / MIB).toFixed(0)} MiB, wrote ${(bytes.written / MIB).toFixed(0)} MiB`);
  return tookMs;
};

const HOWS = ['dd', 'dd-packed', 'volmove'] as const;
const seconds: Record<(typeof HOWS)[number], number[]> = { dd: [], 'dd-packed': [], volmove: [] };
for (let round = 0; round < ROUNDS; round += 1)
  for (const how of HOWS) {
    const destination = { pool: 'destination', objectName: `${how}-${round}` };
    const { objectId } = await driver.create({ ...destination, sizeBytes: SIZE_BYTES }, NEVER);
    const source = how === 'dd-packed' ? PACKED : SOURCE;
    const paths = await Promise.all([source, destination].map((one) => driver.path(one)));
    const tookMs = how === 'volmove' ? await byVolmove(destination) : await byDd(paths[0] ?? '', paths[1] ?? '');
    const allocated = (await driver.allocatedBytes?.(destination)) ?? 0;
    console.log(
      `${how}: ${(tookMs / 1000).toFixed(2)} s, ${(allocated / MIB).toFixed(0)} MiB mapped at the destination`,
    );
    seconds[how].push(tookMs / 1000);
    await driver.remove({ ...destination, objectId }, NEVER);
  }

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
const [dd, packed, ours] = HOWS.map((how) => median(seconds[how]));
const ratio = (a = 0, b = 0): string => (a / b).toFixed(2);
console.log(`median: dd ${dd?.toFixed(2)} s, volmove with digest ${ours?.toFixed(2)} s, ratio ${ratio(ours, dd)}`);
console.log(
  `dd of the data alone, which is the least that any copy does: ${packed?.toFixed(2)} s, ratio ${ratio(packed, dd)}; volmove to that: ${ratio(ours, packed)}`,
);
