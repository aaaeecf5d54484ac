import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { openDriver, PATH } from './driver.ts';
import { attempt, DISKS, freshName, makeGroup, sh, until } from './group.ts';
import { create, NEVER, object, thinRig } from './rig.ts';

describe('the probe', () => {
  const without = async (...missing: readonly string[]): Promise<string> => {
    const directory = await tempDir();
    const bin = join(directory, 'bin');
    await mkdir(bin);
    for (const program of ['vgs', 'lvm', 'dmsetup', 'thin_dump', 'setpriv', 'sh'])
      if (!missing.includes(program)) await symlink((await sh('which', program)).trim(), join(bin, program));
    return bin;
  };

  it('names every program that is missing, with its package', async () => {
    const { again } = await thinRig();

    const problems = await (await again({ path: await without('lvm', 'thin_dump') })).probe(NEVER);
    const error = await refusalOf((await again({ path: await without('vgs') })).find(object(), NEVER));

    expect(problems.map(({ pool }) => pool)).toEqual([null, null]);
    expect(problems.map(({ problem }) => problem).join('\n')).toMatch(
      /lvm \(package lvm2\)[\s\S]*thin_dump \(package thin-provisioning-tools\)/,
    );
    expect(error).toMatchObject({ code: 'ProgramMissing', message: expect.stringContaining('package lvm2') });
  });

  it('says which group, which thin pool is not there, and what is no thin pool', async () => {
    const { vg } = await thinRig();
    await sh('lvcreate', '-y', '-L', '4M', '-n', 'linear', vg);
    const driver = await openDriver([
      { name: 'a', vg: 'nowhere' },
      { name: 'b', vg, thin_pool: 'missing' },
      { name: 'c', vg, thin_pool: 'linear' },
      { name: 'd', vg, thin_pool: 'pool' },
    ]);

    const problems = await driver.probe(NEVER);

    expect(problems.map(({ pool, problem }) => [pool, problem.replaceAll(vg, 'VG')])).toEqual([
      ['a', 'pool a: there is no volume group nowhere'],
      ['b', 'pool b: there is no thin pool missing in the volume group VG'],
      ['c', 'pool c: VG/linear is no thin pool, it is linear'],
    ]);
    const states = await driver.pools(NEVER);
    expect(states.map(({ state }) => state)).toEqual(['offline', 'offline', 'offline', 'up']);
  });

  it('says that a group has a disk missing, and then nothing in it is made or called missing', async () => {
    const vg = freshName();
    await makeGroup(vg, DISKS[0]);
    const disk = join(await tempDir(), 'disk');
    await sh('truncate', '-s', '32M', disk);
    const loop = (await sh('losetup', '--find', '--show', disk)).trim();
    onTestFinished(async () => {
      await attempt('losetup', '-d', loop);
    });
    await sh('vgextend', '-y', vg, loop);
    const driver = await openDriver([{ name: 'main', vg }]);
    await create(driver, 8);
    // it is taken away when the last one that has it open has closed it
    await sh('losetup', '-d', loop);
    await until('the disk is gone', async () => !(await sh('losetup', '-a')).includes(loop));

    const error = await refusalOf(driver.find(object('other'), NEVER));

    expect(error.code).toBe('BackendOffline');
    expect(error.message).toContain('a disk of the volume group');
    expect((await driver.pools(NEVER))[0]?.state).toBe('offline');
  });

  it('says that LVM works for root alone', async () => {
    const { vg, again } = await thinRig();
    const bin = await tempDir();
    await writeFile(
      join(bin, 'vgs'),
      '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups /sbin/vgs "$@"\n',
      { mode: 0o755 },
    );

    const error = await refusalOf((await again({ path: `${bin}:${PATH}` })).find(object(), NEVER));

    expect(error.code).toBe('NotPermitted');
    expect(error.remedy).toContain('root for LVM');
    expect(await attempt('vgs', vg)).toContain(vg);
  });
});
