import { afterEach, describe, expect, it } from 'vitest';
import { type Rig, startRig, until } from '../system/rig.ts';

/** Finalize has happened: the volume lives at its destination, whatever dies before the source is removed. */

const TIME_OUT_MS = 180_000;

/** The source’s agent sleeps from when it is no longer needed, so that its removal cannot come. */
const committed = async (rig: Rig): Promise<{ id: string; migration: string; before: string }> => {
  const id = await rig.create('alpha');
  await rig.fill(id, 48);
  const before = await rig.content(id);
  const migration = await rig.migrate(id, 'beta');
  await rig.inPhase(migration, 'verifying');
  rig.freeze('alpha');
  await until('the volume has moved', async () => (await rig.migration(migration)).state === 'succeeded');
  return { id, migration, before };
};

describe('between the commit and the removal of the source', () => {
  let rig: Rig;
  afterEach(() => rig.stop());

  it(
    'the destination’s host, the source’s host and the control plane may die: the volume is whole, and only the source goes',
    async () => {
      rig = await startRig();
      const { id, migration, before } = await committed(rig);
      const waiting = await rig.migration(migration);

      await rig.kill('beta');
      await rig.kill('alpha');
      await rig.kill('cloud');
      for (const part of ['cloud', 'beta', 'alpha']) await rig.start(part);
      const ended = await rig.ended(migration);

      expect(waiting).toMatchObject({ state: 'succeeded', cleanup: { state: expect.not.stringMatching('done') } });
      expect(ended).toMatchObject({ state: 'succeeded', cleanup: { state: 'done' } });
      expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'beta@files#main' });
      expect(await rig.content(id)).toBe(before);
      expect((await rig.objects()).filter((name) => name.includes(id))).toEqual([expect.stringMatching(/^beta\//)]);
    },
    TIME_OUT_MS,
  );
});
