import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { VolmoveError } from '../../../domain/error.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import {
  contentOf,
  DESTINATION,
  expectUntouched,
  namesIn,
  type Scene,
  SOURCE,
  scene,
  trashOf,
  until,
} from './move-scene.ts';
import { describeCeph, type Faults, NEVER } from './rig.ts';

/**
 * An agent that dies in the middle of a step takes its programs along (prctl(2)): what it leaves is undone, or finished, by the next,
 * wherever that was. Where a step has come to after a time is the machine's own affair, so many times are tried; what lasts for a
 * moment only is made as the cluster makes it.
 */
const TRIES = 4;
const MIGRATING = 0x02;

interface Knife {
  /** Undefined: nothing is cut off. */
  afterMs: number | undefined;
  /** Of the last program of that name. */
  tookMs: number;
}

const cuttingOff = (step: string, knife: Knife): Faults => ({
  children: (real) => ({
    async start(command) {
      const child = await real.start(command);
      if (!command.args.includes(step)) return child;
      let beganMs = 0;
      const ended = child.ended.finally(() => {
        knife.tookMs = performance.now() - beganMs;
      });
      return {
        ...child,
        ended,
        go() {
          beganMs = performance.now();
          child.go();
          if (knife.afterMs !== undefined) setTimeout(() => child.signal('SIGKILL'), knife.afterMs);
        },
      };
    },
  }),
});

/** As the jobs do: the cluster takes a client that has died for alive for a while. */
const patiently = async <T>(act: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof VolmoveError) || error.code !== 'ObjectBusy') throw error;
    }
  }
};

const rados = ({ cluster }: Scene, pool: string, ...args: readonly string[]) =>
  promisify(execFile)('rados', ['--conf', cluster.conf, '-p', pool, ...args]);

const storedValue = async (one: Scene, pool: string, key: readonly string[]): Promise<Buffer> => {
  const file = join(await tempDir(), 'value');
  await rados(one, pool, 'getomapval', ...key, file);
  return readFile(file);
};

const put = async (one: Scene, pool: string, key: readonly string[], value: Buffer): Promise<void> => {
  const file = join(await tempDir(), 'value');
  await writeFile(file, value);
  await rados(one, pool, 'setomapval', ...key, '--input-file', file);
};

/** A value of an object of the cluster is another one from now on. */
const change = async (one: Scene, pool: string, key: readonly string[], how: (value: Buffer) => void) => {
  const value = await storedValue(one, pool, key);
  how(value);
  await put(one, pool, key, value);
};

const finishedBy = async (one: Scene): Promise<void> => {
  const { move, driver, digest } = one;
  const next = await one.restarted();
  const object = await patiently(() => next.finish(move, NEVER));
  expect(object.objectId).not.toBe(move.source.objectId);
  expect(await contentOf(driver, 'b', DESTINATION)).toBe(digest);
  expect([await namesIn(one, one.a), await trashOf(one, one.a)]).toEqual([[], []]);
};

describeCeph(
  'a move inside a cluster whose agent is killed',
  (cluster) => {
    it('anywhere at its beginning is undone by the next agent, and leaves nothing', async () => {
      const knife: Knife = { afterMs: undefined, tookMs: 0 };
      const one = await scene(cluster(), () => cuttingOff('prepare', knife));
      const { moves, move } = one;
      await moves.start(move, NEVER);
      await moves.abort(move, NEVER);
      const wholeMs = knife.tookMs;

      for (let n = 0; n < TRIES; n++) {
        // its first half is the start of a program
        knife.afterMs = Math.round(wholeMs * (0.5 + (0.5 * n) / TRIES));
        await moves.start(move, NEVER).catch(() => undefined);
        const next = await one.restarted();
        await patiently(() => next.abort(move, NEVER));
        expect([await namesIn(one, one.a), await namesIn(one, one.b)]).toEqual([[SOURCE], []]);
      }
      await expectUntouched(one);
    });

    it.each([
      ['before the move is written into it', 0],
      ['while it is put there', 1],
    ])('when the source is in the trash, %s, is undone by the next agent', async (_, state) => {
      const one = await scene(cluster());
      const { move, cluster: ceph } = one;
      await ceph.rbd('trash', 'mv', `${one.a}/${SOURCE}`);
      await change(one, one.a, ['rbd_trash', `id_${move.source.objectId}`], (entry) => {
        entry[6] = 2;
        entry[entry.length - 1] = state;
      });

      await (await one.restarted()).abort(move, NEVER);

      await expectUntouched(one);
    });

    it('when the source is back, and still marked as moving, is undone by the next agent', async () => {
      const one = await scene(cluster());
      const { moves, move, cluster: ceph } = one;
      const header = `rbd_header.${move.source.objectId}`;
      await ceph.rbd('migration', 'prepare', `${one.a}/${SOURCE}`, `${one.b}/${DESTINATION}`);
      const migration = await storedValue(one, one.a, [header, 'migration']);
      await moves.abort(move, NEVER);
      await put(one, one.a, [header, 'migration'], migration);
      await change(one, one.a, [header, 'features'], (features) => {
        features[1] = (features[1] ?? 0) | MIGRATING;
      });
      const next = await one.restarted();

      const seen = await next.recover(move, NEVER);
      await next.abort(move, NEVER);

      expect(seen.state).toBe('failed');
      await expectUntouched(one);
    });

    it('anywhere while it gives the source up is finished by the next agent', async () => {
      const knife: Knife = { afterMs: undefined, tookMs: 0 };
      for (let n = 0; n < TRIES / 2; n++) {
        const one = await scene(cluster(), () => cuttingOff('commit', knife));
        await one.moves.start(one.move, NEVER);
        await until(one.moves, one.move, 'synchronised');
        await one.moves.finish(one.move, NEVER).catch(() => undefined);
        await finishedBy(one);
        knife.afterMs ??= knife.tookMs;
        knife.afterMs *= 0.8;
      }
    });

    it('when the destination stands by itself, and the source is still in the trash, is finished by the next agent', async () => {
      const one = await scene(cluster());
      const { moves, move, cluster: ceph } = one;
      await moves.start(move, NEVER);
      await until(moves, move, 'synchronised');
      const { migration } = JSON.parse(await ceph.rbd('status', `${one.b}/${DESTINATION}`, '--format', 'json'));
      await change(one, one.b, [`rbd_header.${migration.dest_image_id}`, 'features'], (features) => {
        features[1] = (features[1] ?? 0) & ~MIGRATING;
      });

      await finishedBy(one);
    });
  },
  { watchTimeoutSeconds: 5 },
);
