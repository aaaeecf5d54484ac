import { afterEach, describe, expect, it } from 'vitest';
import { inMidCopy, type Moving } from '../system/mid-copy.ts';
import { type Rig, startRig } from '../system/rig.ts';
import { startTwin, type Twin } from './twin.ts';

/** Somebody starts the same configuration a second time: on a cloned server, from a backup, by a mistake of the automation. */

const SLOW = 8 * 1024 * 1024;
const TIME_OUT_MS = 180_000;

const expectWhole = async (rig: Rig, { id, migration, before }: Moving): Promise<void> => {
  expect(await rig.ended(migration)).toMatchObject({ state: 'succeeded' });
  expect(await rig.content(id)).toBe(before);
  expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
};

describe('a twin of an agent', () => {
  let rig: Rig;
  let twin: Twin | undefined;
  afterEach(async () => {
    await twin?.kill();
    twin = undefined;
    await rig.stop();
  });

  it.each([
    ['alpha', 'its own'],
    ['alpha', 'a copy'],
    ['beta', 'a copy'],
  ] as const)(
    'of %s with %s as data directory is refused while the other one lives, which goes on as if nothing had been',
    async (host, data) => {
      rig = await startRig();
      const move = await inMidCopy(rig, SLOW);

      twin = await startTwin(rig, host, data);
      const code = await twin.ended;

      expect(code).not.toBe(0);
      expect(twin.text()).toContain(`Another agent has registered as host ${host}`);
      await expectWhole(rig, move);
      expect((await rig.migration(move.migration)).progress?.attempt).toBe(1);
    },
    TIME_OUT_MS,
  );

  it(
    'takes the host over when the other one is frozen; with its own certificate it cannot carry the copy on, but make it again',
    async () => {
      rig = await startRig(['alpha', 'beta'], { peer_away_seconds: 60 });
      const move = await inMidCopy(rig, SLOW);
      rig.freeze('alpha');

      do {
        twin = await startTwin(rig, 'alpha', 'its own');
      } while ((await Promise.race([twin.ended, twin.isUp()])) !== true);
      rig.thaw('alpha');
      const ended = await rig.ended(move.migration);
      const content = await rig.content(move.id);
      const again = await rig.migrate(move.id, 'beta');

      expect(ended.state).toBe('failed');
      expect(content).toBe(move.before);
      await expectWhole(rig, { ...move, migration: again });
      expect(await rig.log('alpha')).toContain('Another agent has registered as host alpha');
    },
    TIME_OUT_MS,
  );
});
