import { describe, expect, it } from 'vitest';
import { describeManage } from '../scenario/manage.ts';
import { describeMatrix } from '../scenario/matrix.ts';
import { rbdTool } from '../scenario/pools.ts';
import { COPIED, movedBy } from '../scenario/ways.ts';
import { missingForCeph } from './daemons.ts';
import { moverOf } from './mover.ts';
import { AFAR, accessTo, cephStage, FAST, FILE, HOSTS, SLOW } from './stage.ts';
import { watching } from './watching.ts';

const missing = await missingForCeph();
const why = missing.length > 0 ? ` (skipped: ${missing.join(', ')} missing)` : '';

describe.skipIf(missing.length > 0)(`volumes on real clusters of Ceph, by the public API${why}`, () => {
  const { stage, clusters } = cephStage();
  const here = (...args: readonly string[]): Promise<string> => rbdTool(accessTo(clusters().here), ...args);
  const MOVED = movedBy(moverOf(() => clusters().here.conf));

  describeMatrix({
    stage,
    hosts: HOSTS,
    pairings: {
      'to another pool, by the cluster': { from: FAST, to: SLOW, way: MOVED },
      'to another cluster, by a copy': { from: FAST, to: AFAR, way: COPIED },
    },
  });

  it('nothing is left in the trash of a pool', async () => {
    for (const pool of ['fast', 'slow'])
      expect(JSON.parse(await here('trash', 'ls', '-a', pool, '--format', 'json'))).toEqual([]);
  });

  const move = async (volume: string, destination: string) =>
    stage().ended(await stage().migrate(volume, destination, {}));
  const imageOf = async (volume: string): Promise<string> => (await stage().objectsAt(FAST, volume))[0] ?? '';

  describe('an image with a snapshot', () => {
    it('takes it along when the cluster moves it', async () => {
      const volume = await stage().create(FAST);
      const before = await stage().contentAt(FAST, volume);
      await here('snap', 'create', '--no-progress', `fast/${await imageOf(volume)}@kept`);

      expect(await move(volume, SLOW)).toMatchObject({ state: 'succeeded', reason: null });

      await stage().expectAt(SLOW, volume, before, FAST);
      const [image] = await stage().objectsAt(SLOW, volume);
      expect(await here('snap', 'ls', `slow/${image}`, '--format', 'json')).toContain('"kept"');
    });

    it('is not copied: the migration names the snapshot, and leaves nothing', async () => {
      const volume = await stage().create(FAST);
      const before = await stage().contentAt(FAST, volume);
      await here('snap', 'create', '--no-progress', `fast/${await imageOf(volume)}@lost`);

      const reason = { code: 'HasDependents', message: expect.stringContaining('lost') as string };
      expect(await move(volume, AFAR)).toMatchObject({ state: 'failed', reason });

      await stage().expectAt(FAST, volume, before, AFAR);
    });
  });

  it('goes into a file on another host and back, and nothing is left of it when it is deleted', async () => {
    const volume = await stage().create(FAST);
    const before = await stage().contentAt(FAST, volume);

    for (const [from, to] of [
      [FAST, FILE],
      [FILE, FAST],
    ] as const) {
      const ended = await move(volume, to);
      expect(ended).toMatchObject({
        state: 'succeeded',
        reason: null,
        digests: { source: ended.digests?.destination },
      });
      await stage().expectAt(to, volume, before, from);
    }
    await stage().rig.call('DELETE', `/volumes/${volume}`);
    await stage().isGone(volume, FAST);
  });

  const sizeMib = 1030;
  const make = (name: string): Promise<string> => here('create', '--size', `${sizeMib}M`, `fast/${name}`);

  describe('an image that was made outside', () =>
    describeManage({
      stage,
      at: FAST,
      to: SLOW,
      sizeBytes: sizeMib * 1024 * 1024,
      make: async (name) => void (await make(name)),
      unfit: {
        'a client has it open': {
          why: /127\.0\.0\.1\S* has it open/,
          async spoil(name) {
            await make(name);
            return watching(accessTo(clusters().here), `fast/${name}`);
          },
        },
        'it has snapshots': {
          why: /it has the snapshots? kept/,
          async spoil(name) {
            await make(name);
            await here('snap', 'create', '--no-progress', `fast/${name}@kept`);
            return async () => void (await here('snap', 'rm', '--no-progress', `fast/${name}@kept`));
          },
        },
      },
    }));
});
