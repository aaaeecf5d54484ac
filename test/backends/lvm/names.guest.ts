import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../helpers/refusal.ts';
import { openDriver } from './driver.ts';
import { attempt, lvs, sh } from './group.ts';
import { create, MIB, NAME, NEVER, object, thinRig } from './rig.ts';

describe('names', () => {
  it('that LVM keeps for itself are refused before anything is done', async () => {
    const { vg, driver } = await thinRig();
    const names = ['snapshot-1', 'pvmove0', 'a_tmeta', '-x', 'a b', '..', 'x'.repeat(128)];

    const errors = await Promise.all(names.map((name) => refusalOf(create(driver, 1, name))));

    expect(errors.map(({ code }) => code)).toEqual(names.map(() => 'BackendRefused'));
    expect((await lvs(vg, 'lv_name')).flat()).toEqual(['pool']);
  });

  it('may be as long as device-mapper takes them, and no longer', async () => {
    const { vg, driver } = await thinRig();
    const longest = 'v-'.repeat(20) + 'x'.repeat(127 - vg.length - 1 - 60);

    const made = await create(driver, 1, longest);
    const error = await refusalOf(create(driver, 1, `${longest}x`));

    expect((await driver.find(object(longest), NEVER))?.objectId).toBe(made.objectId);
    expect(error.message).toMatch(/128 bytes for device-mapper/);
    // LVM itself draws the line there
    expect(await attempt('lvcreate', '-y', '-V', '1M', '-T', `${vg}/pool`, '-n', `${longest}x`)).toBeUndefined();
  });

  it('that others have in the group are taken, whatever kind of volume that is', async () => {
    const { vg, driver } = await thinRig();
    await sh('lvcreate', '-y', '-L', '4M', '-n', NAME, vg);
    const elsewhere = await refusalOf(create(driver, 1));
    await sh('lvremove', '-y', `${vg}/${NAME}`);
    await sh('lvcreate', '-y', '-V', '4M', '-T', `${vg}/pool`, '-n', NAME);
    const untagged = await refusalOf(create(driver, 1));

    expect([elsewhere.code, untagged.code]).toEqual(['NameTaken', 'NameTaken']);
    expect(elsewhere.message).toContain('not in this pool');
    expect(untagged.message).toContain('tag');
    expect(await lvs(`${vg}/${NAME}`, 'lv_size')).toEqual([[String(4 * MIB)]]);
  });
});

describe('what others keep in a group', () => {
  it('is listed with the reason when it cannot be adopted', async () => {
    const { vg, driver } = await thinRig();
    for (const name of ['b-origin', 'd-free', 'e-open'])
      await sh('lvcreate', '-y', '-V', '8M', '-T', `${vg}/pool`, '-n', name);
    await sh('lvcreate', '-y', '-s', '-n', 'c-snap', `${vg}/b-origin`);
    const handle = await open(`/dev/${vg}/e-open`, 'r');

    const { objects } = await driver.list({ pool: 'main', what: 'others', after: null, limit: 10 }, NEVER);
    await handle.close();

    expect(objects.map(({ objectName, unfit }) => [objectName, unfit])).toEqual([
      ['b-origin', 'it has snapshots: c-snap'],
      ['c-snap', 'it is a snapshot of b-origin'],
      ['d-free', undefined],
      ['e-open', 'it is open'],
    ]);
  });

  it('is neither a thick volume in a thin pool nor a thin one among the thick', async () => {
    const { vg, driver } = await thinRig();
    await sh('lvcreate', '-y', '-L', '8M', '-n', 'thick', vg);
    await sh('lvcreate', '-y', '-V', '8M', '-T', `${vg}/pool`, '-n', 'thin');
    const thick = await openDriver([{ name: 'main', vg }]);

    const listed = await Promise.all(
      [driver, thick].map((one) => one.list({ pool: 'main', what: 'others', after: null, limit: 10 }, NEVER)),
    );

    expect(listed.map(({ objects }) => objects.map(({ objectName }) => objectName))).toEqual([['thin'], ['thick']]);
  });
});
