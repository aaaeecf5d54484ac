import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning } from '../../host-agent/children/process-identity.ts';
import { copyArguments, probeArguments } from '../../host-agent/dd/arguments.ts';
import { failureOf } from '../../host-agent/dd/end.ts';
import { createDdProgress } from '../../host-agent/dd/progress.ts';
import type { Measured } from '../../host-agent/jobs/context.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { until } from '../data-path/helpers/until.ts';
import { aFile, ddRig, MIB, pathWith } from './helpers/dd-rig.ts';

const IS_ROOT = process.getuid?.() === 0;
const allocatedBytes = async (path: string): Promise<number> => (await stat(path)).blocks * 512;
const isEqual = async (a: string, b: string): Promise<boolean> => (await readFile(a)).equals(await readFile(b));

describe('the arguments of dd', () => {
  const ends = { source: '/a', destination: '/b', sizeBytes: 1024 ** 3 };

  it('are those of the reference, and keep what the destination has beyond the volume', () => {
    const direct = copyArguments({ ...ends, sparse: true, direct: { input: true, output: true } });
    const plain = copyArguments({ ...ends, sparse: false, direct: { input: false, output: false } });

    expect(direct.join(' ')).toBe(
      'if=/a of=/b count=1073741824 bs=1M iflag=count_bytes,direct oflag=direct conv=sparse,notrunc',
    );
    expect(plain.join(' ')).toBe('if=/a of=/b count=1073741824 bs=1M iflag=count_bytes conv=notrunc');
  });

  it('of the probe copy nothing, and do not cut the destination short', () => {
    expect(probeArguments(ends, 'oflag=direct').join(' ')).toBe('count=0 if=/a of=/b oflag=direct conv=notrunc');
  });
});

describe('a copy by dd', () => {
  it('has the same content, and what was sparse stays sparse at a destination of zeroes', async () => {
    const rig = await ddRig({ sizeBytes: 32 * MIB });

    await rig.run();

    expect(await isEqual(rig.source, rig.destination)).toBe(true);
    expect(await allocatedBytes(rig.destination)).toBeLessThanOrEqual(3 * MIB);
    expect(await rig.journal.all()).toEqual([]);
  });

  it('writes every byte to a destination that is not known to be zero', async () => {
    const rig = await ddRig();
    await writeFile(rig.destination, Buffer.alloc(8 * MIB, 0xa5));

    await rig.run({ destinationIsZero: false });

    expect(await isEqual(rig.source, rig.destination)).toBe(true);
    expect(await allocatedBytes(rig.destination)).toBeGreaterThanOrEqual(8 * MIB);
  });

  it.each([2 * MIB + 512, 2 * MIB + 1, 1])(
    'of %i bytes, which are no whole blocks, ends where the volume ends',
    async (sizeBytes) => {
      const rig = await ddRig();
      await writeFile(rig.destination, Buffer.alloc(8 * MIB, 0xa5));

      await rig.run({ sizeBytes, destinationIsZero: false });

      const [source, destination] = [await readFile(rig.source), await readFile(rig.destination)];
      expect(destination.subarray(0, sizeBytes).equals(source.subarray(0, sizeBytes))).toBe(true);
      expect(destination.subarray(sizeBytes).equals(Buffer.alloc(8 * MIB - sizeBytes, 0xa5))).toBe(true);
    },
  );

  it('shows how far it is while it runs, never going back', async () => {
    const rig = await ddRig({ sizeBytes: 128 * MIB });

    await rig.run({ destinationIsZero: false });

    expect(rig.copied[0]).toBe(0);
    expect(rig.copied.at(-1)).toBe(128 * MIB);
    expect(rig.copied).toEqual(rig.copied.toSorted((a, b) => a - b));
    expect(rig.copied.filter((bytes) => bytes > 0 && bytes < 128 * MIB).length).toBeGreaterThan(0);
  });

  it('stands still while it is paused, and goes on after', async () => {
    const rig = await ddRig({ sizeBytes: 128 * MIB });
    let paused = false;
    let rests = 0;
    let moved = 0;
    const position = async (): Promise<number> => {
      const [child] = await rig.journal.all();
      return Number(/pos:\s*(\d+)/.exec(await readFile(`/proc/${child?.pid}/fdinfo/1`, 'utf8'))?.[1]);
    };

    await rig.run({
      destinationIsZero: false,
      isPaused: () => paused,
      onCopied: (bytes) => {
        rig.copied.push(bytes);
        if (bytes > 0 && rests === 0) paused = true;
      },
      onResting: () => {
        rests += 1;
      },
      sleep: async () => {
        if (!paused || rests === 0) return;
        const [child] = await rig.journal.all();
        await until('it is stopped', async () => / T /.test(await readFile(`/proc/${child?.pid}/stat`, 'utf8')));
        const before = await position();
        for (let turn = 0; turn < 100; turn++) if ((await position()) !== before) moved += 1;
        paused = rests < 2;
      },
    });

    expect({ rests, moved }).toEqual({ rests: 2, moved: 0 });
    expect(await isEqual(rig.source, rig.destination)).toBe(true);
  });

  it('is killed at once when it is no longer wanted, also while it is paused', async () => {
    for (const isPaused of [false, true]) {
      const rig = await ddRig({ sizeBytes: 128 * MIB });
      const stop = new AbortController();
      const why = new Error('not wanted');
      const stopNow = (): void => stop.abort(why);

      const error = await thrownBy(
        rig.run({
          destinationIsZero: false,
          isPaused: () => isPaused,
          onCopied: (bytes) => void (bytes > 0 && stopNow()),
          onResting: stopNow,
          signal: stop.signal,
        }),
      );

      expect(error).toBe(why);
      expect(await rig.journal.all()).toEqual([]);
      expect(await isEqual(rig.source, rig.destination)).toBe(false);
    }
  });

  it('that is not wanted before it begins is never started', async () => {
    const rig = await ddRig();

    const error = await thrownBy(rig.run({ signal: AbortSignal.abort(new Error('too late')) }));

    expect(error.message).toBe('too late');
    expect(await allocatedBytes(rig.destination)).toBe(0);
  });
});

/** Or it has just ended by itself. */
const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

describe('a copy by dd that fails', () => {
  it('tells of a full destination in dd’s own words', async () => {
    const rig = await ddRig();

    const error = await thrownBy(rig.run({ destination: '/dev/full', destinationIsZero: false }));

    expect(error).toMatchObject({ name: 'NoSpace' });
    expect(error.message).toContain("error writing '/dev/full': No space left on device");
  });

  it.skipIf(!IS_ROOT)('tells of a file system that becomes full on the way (needs root, for a mount)', async () => {
    const rig = await ddRig();
    const mountpoint = join(rig.directory, 'small');
    await mkdir(mountpoint);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mountpoint]);
    onTestFinished(() => void execFileSync('umount', [mountpoint]));
    const destination = await aFile(mountpoint, 'destination', 8 * MIB);

    const error = await thrownBy(rig.run({ destination, destinationIsZero: false }));

    expect(error).toMatchObject({ name: 'NoSpace' });
    expect(rig.copied.at(-1)).toBeLessThan(8 * MIB);
  });

  it('tells of an I/O error in dd’s own words', async () => {
    const rig = await ddRig();

    // address 0 of a process is never there: reading it is EIO
    const error = await thrownBy(rig.run({ source: '/proc/self/mem' }));

    expect(error).toMatchObject({ name: 'IoError' });
    expect(error.message).toContain("dd: error reading '/proc/self/mem': Input/output error");
  });

  it('is not taken in by a source that ends early, which dd calls a success', async () => {
    const rig = await ddRig();
    const source = await aFile(rig.directory, 'short', 3 * MIB);

    const error = await thrownBy(rig.run({ source }));

    expect(error.name).toBe('DeviceShrank');
    expect(error.message).toContain(`dd copied ${3 * MIB} bytes of ${8 * MIB}: the source ended early`);
  });

  it('says that somebody else killed it', async () => {
    const rig = await ddRig({ sizeBytes: 128 * MIB });

    const error = await thrownBy(
      rig.run({
        destinationIsZero: false,
        isPaused: () => true,
        sleep: async () => {
          for (const child of await rig.journal.all()) if (await isRunning(child)) kill(child.pid);
        },
      }),
    );

    expect(error).toMatchObject({ name: 'IoError' });
    expect(error.message).toContain('dd was ended from outside, by SIGKILL');
  });

  it.each([
    ['dd', 'coreutils', ['setpriv', 'sh']],
    ['setpriv', 'util-linux', ['dd', 'sh']],
  ])('because %s is not there names the package, %s', async (program, name, there) => {
    const rig = await ddRig({ path: await pathWith(...there) });

    const error = await thrownBy(rig.run());

    expect(error).toMatchObject({ name: 'ProgramMissing' });
    expect(error.message).toBe(`The program ${program} (package ${name}) is not installed on this host.`);
  });

  it('without a word still has a reason', () => {
    const stderr = '0+0 records in\n0+0 records out\n0 bytes copied, 1 s, 0 kB/s\n';

    expect(failureOf({ exitCode: 2, signal: null, stderr }, 1)?.message).toContain('dd ended with code 2');
  });
});

describe('the progress of a copy by dd', () => {
  const told = (digest: boolean) => {
    const measures: Measured[] = [];
    let nowMs = 0;
    const progress = createDdProgress({
      sizeBytes: 100,
      digest,
      monotonicMs: () => {
        nowMs += 1_000;
        return nowMs;
      },
      onMeasured: (measured) => measures.push(measured),
    });
    return { progress, measures, settled: () => measures.map((measured) => measured.settledBytes) };
  };

  it('counts a byte half when it is copied and whole when it was read again, and moves until the end', () => {
    const { progress, settled } = told(true);

    for (const bytes of [0, 50, 100]) progress.copied(bytes);
    for (const bytes of [0, 33, 100]) progress.digested(bytes);

    expect(settled()).toEqual([0, 25, 50, 50, 66, 100]);
  });

  it('counts what is copied alone when nobody asked for a digest', () => {
    const { progress, settled } = told(false);

    for (const bytes of [0, 50, 100]) progress.copied(bytes);

    expect(settled()).toEqual([0, 50, 100]);
  });

  it('tells of the zeroes behind the volume’s end, which are none of its bytes', () => {
    const { progress, measures } = told(false);

    progress.copied(100);
    progress.zeroed({ doneBytes: 0, totalBytes: 30 });
    progress.zeroed({ doneBytes: 20, totalBytes: 30 });

    expect(measures.at(-1)).toEqual({
      settledBytes: 100,
      totalBytes: 100,
      rateBytesPerSecond: 20,
      activity: 'zeroing',
      zeroing: { doneBytes: 20, totalBytes: 30 },
    });
  });

  it('has a rate, which is 0 while it rests', () => {
    const { progress, measures } = told(false);

    progress.copied(0);
    progress.copied(10);
    progress.rests();

    expect(measures.map((measured) => measured.rateBytesPerSecond)).toEqual([0, 10, 0]);
    expect(measures.at(-1)).toMatchObject({ settledBytes: 10, totalBytes: 100 });
  });
});
