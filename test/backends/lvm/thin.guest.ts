import { open } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { hurriedTime } from './driver.ts';
import { lvs, sh } from './group.ts';
import { create, dataOf, everyByte, extentsOf, MIB, NAME, NEVER, object, opened, thinRig, usedPercent } from './rig.ts';

describe('a thin volume', () => {
  it('has what was written as its data, and nothing else: 1 GiB of 10 GiB', async () => {
    const { driver } = await thinRig({ dataMib: 1500 });
    await create(driver, 10 * 1024);
    const writer = await opened(driver, 'rw');
    const piece = Buffer.alloc(4 * MIB, 0x5a);
    for (let i = 0; i < 256; i += 1) await writer.write(i * 40 * MIB, piece);
    await writer.flush();
    await writer.close();

    const reader = await opened(driver, 'ro');
    const extents = await extentsOf(reader);

    const readBytes = extents.filter(({ kind }) => kind === 'data').reduce((sum, e) => sum + e.lengthBytes, 0);
    expect(readBytes).toBeGreaterThanOrEqual(1024 * MIB);
    expect(readBytes).toBeLessThanOrEqual(1.05 * 1024 * MIB);
    expect(dataOf(extents)).toEqual(Array.from({ length: 256 }, (_, i) => [i * 40, 4]));
    expect(extents.reduce((at, e) => (e.offset === at ? at + e.lengthBytes : Number.NaN), 0)).toBe(10 * 1024 * MIB);
    expect(await driver.allocatedBytes?.(object())).toBe(1024 * MIB);
  });

  it('tells also of a part of it what is data, and of what was written a moment ago', async () => {
    const { driver } = await thinRig();
    await create(driver, 100);
    const writer = await opened(driver, 'rw');
    expect(dataOf(await extentsOf(writer))).toEqual([]);
    await writer.write(10 * MIB, Buffer.alloc(MIB, 1));
    await writer.write(11 * MIB, Buffer.alloc(MIB, 1));

    const whole = await extentsOf(writer);
    const part = await extentsOf(writer, 10.5 * MIB, 2 * MIB);
    const other = await extentsOf(await opened(driver, 'ro'));

    expect(dataOf(whole)).toEqual([[10, 2]]);
    expect(part.map(({ kind, lengthBytes }) => [kind, lengthBytes / MIB])).toEqual([
      ['data', 1.5],
      ['hole', 0.5],
    ]);
    expect(dataOf(other)).toEqual([[10, 2]]);
  });

  it('sees with a map of before what another device of the same agent has written since', async () => {
    const { driver } = await thinRig();
    await create(driver, 100);
    const reader = await opened(driver, 'ro');
    expect(dataOf(await extentsOf(reader))).toEqual([]);
    const writer = await opened(driver, 'rw');
    await writer.write(7 * MIB, Buffer.alloc(MIB, 1));

    expect(dataOf(await extentsOf(reader))).toEqual([[7, 1]]);
  });

  it('stays thin where zeroes are written into holes, and reads as zeroes where data was', async () => {
    const { driver } = await thinRig();
    await create(driver, 100);
    const device = await opened(driver, 'rw');
    await device.write(8 * MIB, Buffer.alloc(8 * MIB, 0xee));
    await device.flush();

    await device.writeZeroes(0, 100 * MIB);
    await device.flush();

    const content = Buffer.alloc(16 * MIB);
    await device.read(4 * MIB, content);
    expect(everyByte(content, 0)).toBe(true);
    expect(await driver.allocatedBytes?.(object())).toBe(8 * MIB);
  });

  it('keeps the conditions of zeroes: fast only where nothing is mapped, allocated takes the space', async () => {
    const { driver } = await thinRig();
    await create(driver, 100);
    const device = await opened(driver, 'rw');
    await device.write(0, Buffer.alloc(MIB, 0xee));

    const overData = await device.zeroAs?.(0, 2 * MIB, { fast: true, allocated: false });
    const overHole = await device.zeroAs?.(50 * MIB, 2 * MIB, { fast: true, allocated: false });
    const mappedBefore = await driver.allocatedBytes?.(object());
    const taken = await device.zeroAs?.(60 * MIB, 2 * MIB, { fast: false, allocated: true });

    expect([overData, overHole, taken]).toEqual([false, true, true]);
    expect(mappedBefore).toBe(MIB);
    expect(await driver.allocatedBytes?.(object())).toBe(3 * MIB);
  });

  it('gives back to its pool what is discarded', async () => {
    const { vg, driver } = await thinRig();
    await create(driver, 100);
    const device = await opened(driver, 'rw');
    await device.write(0, Buffer.alloc(50 * MIB, 1));
    await device.flush();
    const before = await usedPercent(vg);

    await device.trim?.(0, 40 * MIB);

    expect(before).toBe(25);
    expect(await usedPercent(vg)).toBe(5);
    expect(await driver.allocatedBytes?.(object())).toBe(10 * MIB);
  });

  it('of which what was not written lies in another volume (an external origin) is data from end to end', async () => {
    const { vg, driver } = await thinRig();
    await sh('lvcreate', '-y', '-Wn', '-Zn', '-L', '8M', '-n', 'base', vg);
    const base = await open(`/dev/${vg}/base`, 'r+');
    await base.write(Buffer.alloc(8 * MIB, 0x5a), 0, 8 * MIB, 0);
    await base.sync();
    await base.close();
    await sh('lvchange', '-an', `${vg}/base`);
    await sh('lvchange', '-pr', `${vg}/base`);
    await sh('lvcreate', '-y', '-s', '--thinpool', `${vg}/pool`, '-n', NAME, `${vg}/base`);

    const device = await opened(driver, 'ro');
    const content = Buffer.alloc(8 * MIB);
    await device.read(0, content);

    expect(await driver.allocatedBytes?.(object())).toBe(0);
    expect(everyByte(content, 0x5a)).toBe(true);
    expect(dataOf(await extentsOf(device))).toEqual([[0, 8]]);
  });

  it('with a snapshot is not removed', async () => {
    const { vg, driver } = await thinRig();
    const { objectId } = await create(driver, 8);
    await sh('lvcreate', '-y', '-s', '-n', 'backup', `${vg}/${NAME}`);

    const error = await refusalOf(driver.remove({ ...object(), objectId }, NEVER));

    expect(error.code).toBe('HasDependents');
    expect(error.remedy).toContain('snapshots');
    expect((await driver.find(object(), NEVER))?.objectId).toBe(objectId);
  });

  it('is activated when it is opened', async () => {
    const { vg, driver } = await thinRig();
    await create(driver, 8);
    await sh('lvchange', '-an', `${vg}/${NAME}`);

    const device = await opened(driver, 'ro');

    expect(device.sizeBytes).toBe(8 * MIB);
    expect(await lvs(vg, 'lv_name', 'lv_active')).toContainEqual([NAME, 'active']);
  });
});

describe('the snapshot of a pool’s metadata', () => {
  const held = async (vg: string): Promise<string | undefined> =>
    (await sh('dmsetup', 'status', `${vg}-pool-tpool`)).split(' ')[6];

  it('is given back after each map, also after one that was stopped while it was held', async () => {
    const stop = new AbortController();
    const heldThen: (string | undefined)[] = [];
    const { vg, driver } = await thinRig(
      {},
      {
        wrap: (runTool) => async (tool, signal) => {
          const end = await runTool(tool, signal);
          if (tool.args.includes('reserve_metadata_snap') && heldThen.length === 0) {
            heldThen.push(await held(vg));
            stop.abort(new Error('stop'));
          }
          return end;
        },
      },
    );
    await create(driver, 8);
    const device = await opened(driver, 'ro');

    const error = await thrownBy(Array.fromAsync(device.extents(0, 8 * MIB, stop.signal)));
    const heldAfter = await held(vg);

    expect(error.message).toBe('stop');
    expect(heldThen).toEqual([expect.stringMatching(/^\d+$/)]);
    expect(heldAfter).toBe('-');
    expect(dataOf(await extentsOf(device))).toEqual([]);
    expect(await held(vg)).toBe('-');
  });

  const withOneLeft = async () => {
    const rig = await thinRig({}, { time: hurriedTime(40) });
    await create(rig.driver, 8);
    const writer = await opened(rig.driver, 'rw');
    await writer.write(MIB, Buffer.alloc(MIB, 1));
    await writer.close();
    await sh('dmsetup', 'message', `${rig.vg}-pool-tpool`, '0', 'reserve_metadata_snap');
    return { ...rig, left: await held(rig.vg) };
  };

  it('that an agent which was killed has left is given back by the next one that needs it', async () => {
    const { vg, driver, left } = await withOneLeft();

    const extents = await extentsOf(await opened(driver, 'ro'));

    expect(left).toMatch(/^\d+$/);
    expect(dataOf(extents)).toEqual([[1, 1]]);
    expect(await held(vg)).toBe('-');
  });

  it('that somebody reads is left alone, and the volume taken for data from end to end', async () => {
    const { vg, driver, left } = await withOneLeft();
    const reader = await open(`/dev/mapper/${vg}-pool_tmeta`, 'r');
    onTestFinished(() => reader.close());

    const extents = await extentsOf(await opened(driver, 'ro'));

    expect(dataOf(extents)).toEqual([[0, 8]]);
    expect(await held(vg)).toBe(left);
  });

  it('is one for all who ask at once', async () => {
    const { vg, driver } = await thinRig();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) await create(driver, 8, name);
    const devices = await Promise.all(names.map((name) => opened(driver, 'ro', name)));

    const all = await Promise.all(devices.map((device) => extentsOf(device)));

    expect(all.map(dataOf)).toEqual(names.map(() => []));
    expect(await held(vg)).toBe('-');
  });
});
