import { spawnSync } from 'node:child_process';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Rig, startRig } from './rig.ts';

/** A tmpfs that has room for the volume when the migration is asked for, and none any more while the copy is under way. */
const MIB = 1024 * 1024;
const SIZE_MIB = 1200;
const SLOW = 24 * MIB;

const mayMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

/** Gives the host another pool, on a file system of its own. */
const withSmallPool = async (rig: Rig, host: string): Promise<string> => {
  const mountpoint = join(rig.directory, 'small');
  await mkdir(mountpoint);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', mountpoint]);
  if (mounted.status !== 0) throw new Error(String(mounted.stderr));
  const file = join(rig.directory, `${host}.json`);
  const config = JSON.parse(await readFile(file, 'utf8')) as { backends: { pools: object[] }[] };
  config.backends[0]?.pools.push({ name: 'small', path: mountpoint });
  await writeFile(file, JSON.stringify(config));
  await rig.terminate(host);
  await rig.start(host);
  return mountpoint;
};

const fillUp = async (path: string): Promise<void> => {
  const handle = await open(path, 'w');
  const zeroes = Buffer.alloc(8 * MIB);
  try {
    for (;;) await handle.write(zeroes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
};

describe('a destination that becomes full in mid-copy', () => {
  let rig: Rig | undefined;
  let mountpoint: string | undefined;
  afterEach(async () => {
    await rig?.kill('beta');
    if (mountpoint) spawnSync('umount', [mountpoint]);
    await rig?.stop();
  });

  it.runIf(mayMount)(
    'fails the migration by name and with a remedy, keeps the volume, and leaves nothing behind (needs root: a tmpfs)',
    async () => {
      rig = await startRig();
      mountpoint = await withSmallPool(rig, 'beta');
      const id = await rig.create('alpha');
      await rig.fill(id, 96);
      const before = await rig.content(id);
      const options = { destination: 'beta@files#small', lock: true, bandwidth_bytes_per_second: SLOW };
      const migration = await rig.migrate(id, 'beta', options);
      await rig.inPhase(migration, 'copying');

      const ballast = join(mountpoint, 'ballast');
      await fillUp(ballast);
      const ended = await rig.ended(migration);
      await rm(ballast);

      expect(ended).toMatchObject({ state: 'failed', reason: { code: 'NoSpace' } });
      expect(ended.reason?.remedy).toContain('Free space');
      expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'alpha@files#main' });
      expect(await rig.content(id)).toBe(before);
      expect((await readdir(mountpoint)).filter((name) => name.includes(id))).toEqual([]);
    },
  );
});
