import { expect, it } from 'vitest';
import { VolmoveError } from '../../../domain/error.ts';
import { contentOf, DESTINATION, expectUntouched, namesIn, type Scene, scene, trashOf, until } from './move-scene.ts';
import { describeCeph, type Faults, NEVER } from './rig.ts';

/**
 * An agent that dies in the middle of a step takes its programs along (prctl(2)): what it leaves is undone, or finished, by the next,
 * wherever that was. Where a step has come to after a time is the machine's own affair, so many times are tried.
 */
const TRIES = 8;

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

const times = (tookMs: number): number[] =>
  Array.from({ length: TRIES }, (_, i) => Math.round((tookMs * (i + 1)) / TRIES));

describeCeph(
  'a move inside a cluster whose agent is killed',
  (cluster) => {
    it('at its beginning is undone by the next agent, and leaves nothing', async () => {
      const knife: Knife = { afterMs: undefined, tookMs: 0 };
      const one = await scene(cluster(), () => cuttingOff('prepare', knife));
      const { moves, move } = one;
      await moves.start(move, NEVER);
      await moves.abort(move, NEVER);
      const stood = new Set<string>();

      for (const afterMs of times(knife.tookMs)) {
        knife.afterMs = afterMs;
        await moves.start(move, NEVER).catch(() => undefined);
        const next = await one.restarted();
        stood.add((await standing(one)).join(' '));
        await patiently(() => next.abort(move, NEVER));
        expect([await namesIn(one, one.a), await namesIn(one, one.b)]).toEqual([[move.source.objectName], []]);
      }

      await expectUntouched(one);
      expect(stood.size).toBeGreaterThan(1);
    });

    it('while it is given up by the source is finished by the next agent', async () => {
      const knife: Knife = { afterMs: undefined, tookMs: 0 };
      const stood = new Set<string>();
      let wholeMs: number | undefined;
      for (let n = 0; n < TRIES / 2; n++) {
        const one = await scene(cluster(), () => cuttingOff('commit', knife));
        const { moves, move, driver, digest } = one;
        await moves.start(move, NEVER);
        await until(moves, move, 'synchronised');
        await moves.finish(move, NEVER).catch(() => undefined);
        stood.add((await standing(one)).join(' '));
        const next = await one.restarted();

        const object = await patiently(() => next.finish(move, NEVER));

        expect(object.objectId).not.toBe(move.source.objectId);
        expect(await contentOf(driver, 'b', DESTINATION)).toBe(digest);
        expect([await namesIn(one, one.a), await trashOf(one, one.a)]).toEqual([[], []]);
        wholeMs ??= knife.tookMs;
        knife.afterMs = Math.round((wholeMs * (n + 1)) / (TRIES / 2));
      }
      expect(stood.size).toBeGreaterThan(1);
    });
  },
  { watchTimeoutSeconds: 5 },
);

/** In a few words. */
const standing = async (one: Scene): Promise<string[]> => {
  const names = [await namesIn(one, one.a), await namesIn(one, one.b), await trashOf(one, one.a)] as unknown[][];
  return names.map((all) => String(all.length));
};
