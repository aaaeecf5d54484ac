import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { lvs, sh } from './group.ts';
import { create, dataOf, everyByte, extentsOf, MIB, NAME, NEVER, object, opened, thickRig, thinRig } from './rig.ts';

describe('a thick volume', () => {
  it('is never taken for zero: where a group was full of 0xA5, that is what a new one holds, all of it data', async () => {
    const { vg, driver } = await thickRig();
    await sh('lvcreate', '-y', '-Wn', '-Zn', '-L', '64M', '-n', 'before', vg);
    const before = await open(`/dev/${vg}/before`, 'r+');
    for (let i = 0; i < 64; i += 1) await before.write(Buffer.alloc(MIB, 0xa5), 0, MIB, i * MIB);
    await before.sync();
    await before.close();
    await sh('lvremove', '-y', `${vg}/before`);

    const made = await create(driver, 8);

    const device = await opened(driver, 'ro');
    const content = Buffer.alloc(8 * MIB);
    await device.read(0, content);
    expect(everyByte(content, 0xa5)).toBe(true);
    expect(made.zero).toBe(false);
    expect(dataOf(await extentsOf(device))).toEqual([[0, 8]]);
    expect((await refusalOf(driver.removable({ ...object(), objectId: null }, NEVER))).code).toBe('ObjectBusy');
  });

  it('is not made in a group that has no room for it, and what is said has both numbers', async () => {
    const { driver, vg } = await thickRig();

    const error = await refusalOf(create(driver, 100_000));

    expect(error.code).toBe('NoSpace');
    expect(error.message).toMatch(/has \d+ bytes free, 104857600000 are needed/);
    expect(await lvs(vg, 'lv_name')).toEqual([]);
  });

  it('has its size rounded up to whole extents', async () => {
    const { driver } = await thickRig();

    const made = await driver.create({ ...object(), sizeBytes: 3 * MIB + 1 }, NEVER);

    expect(made.sizeBytes).toBe(4 * MIB);
  });

  it('with a snapshot is not removed, because LVM would take that along', async () => {
    const { vg, driver } = await thickRig();
    const { objectId } = await create(driver, 8);
    await sh('lvcreate', '-y', '-s', '-L', '4M', '-n', 'backup', `${vg}/${NAME}`);

    const error = await refusalOf(driver.remove({ ...object(), objectId }, NEVER));

    expect(error.code).toBe('HasDependents');
    expect(error.message).toContain('backup');
    expect((await lvs(vg, 'lv_name')).flat()).toEqual(['backup', NAME]);
    await sh('lvremove', '-y', `${vg}/backup`);
    expect(await driver.remove({ ...object(), objectId }, NEVER)).toBe(true);
  });
});

describe('a volume that is in use', () => {
  it('is not removed: who has it is said, be it a process, a mount or a device on top of it', async () => {
    const { vg, driver } = await thinRig();
    const { objectId } = await create(driver, 32);
    const path = `/dev/${vg}/${NAME}`;
    const remove = () => refusalOf(driver.remove({ ...object(), objectId }, NEVER));
    const sleeper = spawn('sh', ['-c', `exec 9<${path}; echo open; exec sleep 1000`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(sleeper.stdout, 'data');
    const byProcess = await remove();
    sleeper.kill('SIGKILL');
    await once(sleeper, 'close');
    await sh('mkfs.ext4', '-q', path);
    const directory = await tempDir();
    await sh('mount', path, directory);
    const byMount = await remove();
    await sh('umount', directory);
    await sh('dmsetup', 'create', `${vg}-top`, '--table', `0 2048 linear ${path} 0`);
    const byDevice = await remove();
    await sh('dmsetup', 'remove', `${vg}-top`);

    expect([byProcess, byMount, byDevice].map(({ code }) => code)).toEqual(
      Array.from({ length: 3 }, () => 'ObjectBusy'),
    );
    expect(byProcess.message).toContain(`process ${sleeper.pid} has it open`);
    expect(byMount.message).toContain(`it is mounted on ${directory}`);
    expect(byDevice.message).toMatch(/dm-\d+ is made of it/);
    expect(await driver.remove({ ...object(), objectId }, NEVER)).toBe(true);
  });

  it('for a moment alone, as when udev looks at what was closed, is removed after that', async () => {
    let handle: FileHandle | undefined;
    const { vg, driver } = await thickRig({
      wrap: (runTool) => async (tool, signal) => {
        if (tool.program === 'udevadm') await handle?.close();
        return runTool(tool, signal);
      },
    });
    const { objectId } = await create(driver, 8);
    handle = await open(`/dev/${vg}/${NAME}`, 'r');

    expect(await driver.remove({ ...object(), objectId }, NEVER)).toBe(true);
  });

  it('or not, and has not our tag, is not removed by its name alone, nor wiped for that', async () => {
    const { vg, driver } = await thickRig();
    await sh('lvcreate', '-y', '-L', '8M', '-n', NAME, vg);
    const byName = { ...object(), objectId: null };

    const errors = [await refusalOf(driver.removable(byName, NEVER)), await refusalOf(driver.remove(byName, NEVER))];

    expect(errors.map(({ code }) => code)).toEqual(['ObjectBusy', 'ObjectBusy']);
    expect(await lvs(vg, 'lv_name')).toEqual([[NAME]]);
  });
});
