import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../domain/job/job.ts';
import { createdObjectName } from '../../domain/names.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';

/** What a dry run hears of a source from its agent, with the file driver; nothing is changed by asking. */

const OURS = createdObjectName('11111111-1111-4111-8111-111111111111', 1);
const SIZE_BYTES = 1024 * 1024;
const pathOf = (rig: AgentRig, name = OURS): string => join(rig.directory, 'pool', `${name}.img`);

const rigWithSource = async () => {
  const rig = await agentRig();
  await writeFile(pathOf(rig), Buffer.alloc(SIZE_BYTES, 7));
  const source = {
    ...PLACE,
    objectName: OURS,
    objectId: `inode-${(await stat(pathOf(rig))).ino}`,
    sizeBytes: SIZE_BYTES,
  };
  let asked = 0;
  const check = async (moveTo: string | null = null) => {
    const spec = { kind: 'source.check', input: { source, sizeBytes: SIZE_BYTES, moveTo } } as const;
    const job = await rig.queue(spec, { migrationId: null, volumeId: '', id: `check.${asked++}` });
    await rig.run(job).done;
    const stored = await rig.stored(job);
    return stored.stage.state === 'failed' ? stored.stage.failure : resultOf(stored, 'source.check');
  };
  return { rig, check };
};
const stateOf = async (rig: AgentRig): Promise<string> => {
  const { mtimeMs, ctimeMs, nlink } = await stat(pathOf(rig));
  const content = createHash('sha256')
    .update(await readFile(pathOf(rig)))
    .digest('hex');
  return JSON.stringify({ mtimeMs, ctimeMs, nlink, content });
};

describe('a check of a source', () => {
  it('says that it can be copied, and leaves it as it is', async () => {
    const { rig, check } = await rigWithSource();
    const before = await stateOf(rig);

    expect(await check()).toMatchObject({ way: 'copy', why: null });
    expect(await stateOf(rig)).toBe(before);
  });

  it('asks the backend first where that would move it', async () => {
    const { check } = await rigWithSource();

    expect(await check('nowhere')).toMatchObject({ code: 'PoolNotFound' });
    expect(await check(PLACE.pool)).toMatchObject({ way: 'backend' });
  });

  it.each<[string, (path: string) => Promise<unknown>, string]>([
    ['is gone', (path) => rm(path), 'ObjectMissing'],
    [
      'was replaced',
      async (path) => {
        await writeFile(`${path}.new`, Buffer.alloc(SIZE_BYTES));
        await rename(`${path}.new`, path);
      },
      'ObjectBusy',
    ],
    ['was made smaller', (path) => truncate(path, 4096), 'DeviceShrank'],
  ])('finds that it %s', async (_, disturb, code) => {
    const { rig, check } = await rigWithSource();
    await disturb(pathOf(rig));

    expect(await check()).toMatchObject({ code, remedy: expect.stringMatching(/\w/) });
  });

  it('finds that somebody has it open: it could not be given up after the copy', async () => {
    const { rig, check } = await rigWithSource();
    const held = await open(pathOf(rig), 'r+');
    try {
      expect(await check()).toMatchObject({ code: 'ObjectBusy' });
    } finally {
      await held.close();
    }
    expect(await check()).toMatchObject({ way: 'copy' });
  });
});
