import { link, mkdir, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../domain/job/job.ts';
import { createdObjectName } from '../../domain/names.ts';
import type { ObjectReference } from '../../domain/placement.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';

/** What others have put into a pool, as an agent with the file driver lists and judges it; it changes none of it. */

const OURS = createdObjectName('11111111-1111-4111-8111-111111111111', 1);
const SIZE_BYTES = 1024 * 1024 + 512;

const pathOf = (rig: AgentRig, name: string): string => join(rig.directory, 'pool', `${name}.img`);
const plant = async (rig: AgentRig, name: string, sizeBytes = SIZE_BYTES): Promise<void> => {
  await writeFile(pathOf(rig, name), '');
  await truncate(pathOf(rig, name), sizeBytes);
};

const adopt = async (rig: AgentRig, reference: ObjectReference, id = 'adopt') => {
  const spec = { kind: 'volume.adopt', input: { reference, place: PLACE } } as const;
  const job = await rig.queue(spec, { migrationId: null, id });
  await rig.run(job).done;
  const { stage } = await rig.stored(job);
  return stage.state === 'failed' ? stage.failure : resultOf(await rig.stored(job), 'volume.adopt')?.object;
};

const scan = async (rig: AgentRig, id = 'scan') => {
  const spec = { kind: 'pool.scan', input: { place: PLACE, after: null, what: 'others' } } as const;
  const job = await rig.queue(spec, { migrationId: null, volumeId: '', id });
  await rig.run(job).done;
  return resultOf(await rig.stored(job), 'pool.scan')?.objects ?? [];
};

describe('taking over what others have made', () => {
  it('finds it by its name and by the backend’s id, with its exact size, and leaves it as it is', async () => {
    const rig = await agentRig();
    for (const name of ['disk', 'disk0', 'disk1', 'disk10', 'd']) await plant(rig, name);
    const disk = (await scan(rig)).find(({ objectName }) => objectName === 'disk');

    const named = await adopt(rig, { objectName: 'disk1' }, 'by its name');
    const short = await adopt(rig, { objectName: 'd' }, 'by a short name');
    const byId = await adopt(rig, { objectId: disk?.objectId ?? '' }, 'by its id');

    expect(named).toEqual({ ...PLACE, objectName: 'disk1', objectId: expect.any(String), sizeBytes: SIZE_BYTES });
    expect(short).toMatchObject({ objectName: 'd' });
    expect(byId).toMatchObject({ objectName: 'disk', objectId: disk?.objectId });
    expect((await scan(rig, 'after')).map(({ objectName }) => objectName)).toEqual([
      'd',
      'disk',
      'disk0',
      'disk1',
      'disk10',
    ]);
  });

  it('says of what is not there that it is missing, under a name and under an id', async () => {
    for (const reference of [{ objectName: 'disk1' }, { objectId: 'inode-0' }]) {
      expect(await adopt(await agentRig(), reference)).toMatchObject({ code: 'ObjectMissing' });
    }
  });

  it('refuses what is open in a process of the host, and says which', async () => {
    const rig = await agentRig();
    await plant(rig, 'disk1');
    const holder = await open(pathOf(rig, 'disk1'), 'r');

    const listed = await scan(rig);
    const refused = await adopt(rig, { objectName: 'disk1' });
    await holder.close();

    expect(listed).toMatchObject([{ objectName: 'disk1', unfit: expect.stringContaining(`process ${process.pid}`) }]);
    expect(refused).toMatchObject({ code: 'InvalidReference', message: expect.stringContaining('has it open') });
  });

  it.each([
    ['has a name with a line break', 'characters in it', (rig: AgentRig) => plant(rig, 'disk\n1'), 'disk\n1'],
    ['is empty', 'it is empty', (rig: AgentRig) => plant(rig, 'disk1', 0)],
    ['has no whole sectors', 'not a multiple of 512', (rig: AgentRig) => plant(rig, 'disk1', 1000)],
    [
      'has a second name',
      'has 2 names',
      async (rig: AgentRig) => {
        await plant(rig, 'disk1');
        await link(pathOf(rig, 'disk1'), pathOf(rig, 'disk2'));
      },
    ],
  ])('refuses, and lists as unfit, what %s', async (_what, why, make, name = 'disk1') => {
    const rig = await agentRig();
    await make(rig);

    const [listed] = await scan(rig);

    expect(listed?.unfit).toContain(why);
    expect(await adopt(rig, { objectName: name })).toMatchObject({
      code: 'InvalidReference',
      message: expect.stringContaining(why),
    });
  });

  it('lists nothing that is volmove’s own, a directory or a link, and refuses all of them', async () => {
    const rig = await agentRig();
    await plant(rig, OURS);
    await mkdir(pathOf(rig, 'directory'));
    await writeFile(join(rig.directory, 'elsewhere'), 'secret'.repeat(512));
    await symlink(join(rig.directory, 'elsewhere'), pathOf(rig, 'link'));

    expect(await scan(rig)).toEqual([]);
    expect(await adopt(rig, { objectName: OURS })).toMatchObject({ code: 'InvalidReference' });
    for (const name of ['directory', 'link']) {
      const other = await agentRig();
      if (name === 'link') await symlink(join(rig.directory, 'elsewhere'), pathOf(other, name));
      else await mkdir(pathOf(other, name));
      expect(await adopt(other, { objectName: name })).toMatchObject({ code: 'InvalidReference' });
    }
  });

  it('of a pool that is away fails as one that may come back, not as a missing object', async () => {
    const rig = await agentRig();
    await plant(rig, 'disk1');
    await scan(rig);
    await rm(join(rig.directory, 'pool'), { recursive: true });

    expect(await adopt(rig, { objectName: 'disk1' })).toMatchObject({ code: 'BackendOffline' });
  });
});
