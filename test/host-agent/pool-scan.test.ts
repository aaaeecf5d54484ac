import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../domain/job/job.ts';
import { createdObjectName } from '../../domain/names.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';

/** A scan asks the pool as it is, through the driver of its backend. */

const VOLUME = '11111111-1111-4111-8111-111111111111';
const plant = (rig: AgentRig, name: string): Promise<void> =>
  writeFile(join(rig.directory, 'pool', `${name}.img`), 'left over');

const scan = async (rig: AgentRig, after: string | null = null) => {
  const job = await rig.queue(
    { kind: 'pool.scan', input: { place: PLACE, after } },
    { migrationId: null, volumeId: '' },
  );
  await rig.run(job).done;
  return rig.stored(job);
};

describe('a scan of a pool', () => {
  it('tells what lies there by volmove’s names, planted by whomever, behind the one that is named', async () => {
    const rig = await agentRig();
    await plant(rig, createdObjectName(VOLUME, 1));
    await plant(rig, createdObjectName(VOLUME, 2));
    await plant(rig, 'somebody-else');

    const all = resultOf(await scan(rig), 'pool.scan');

    expect(all).toMatchObject({
      objects: [
        { objectName: createdObjectName(VOLUME, 1), sizeBytes: 9, objectId: expect.stringMatching(/^inode-/) },
        { objectName: createdObjectName(VOLUME, 2), madeAtMs: expect.any(Number) },
      ],
      more: false,
    });
  });

  it('gives a page of a thousand, small enough for a job’s item, and says that there is more', async () => {
    const rig = await agentRig();
    await Promise.all(Array.from({ length: 1001 }, (_, n) => plant(rig, createdObjectName(VOLUME, n + 1))));

    const page = resultOf(await scan(rig), 'pool.scan');

    expect(page?.objects).toHaveLength(1000);
    expect(page?.more).toBe(true);
    expect(JSON.stringify(page).length).toBeLessThan(300_000);
  });

  it('of a pool that is away fails with the reason, and says nothing of what is there', async () => {
    const rig = await agentRig();
    await scan(rig);
    await rename(join(rig.directory, 'pool'), join(rig.directory, 'unmounted'));

    const { stage } = await rig
      .queue({ kind: 'pool.scan', input: { place: PLACE, after: null } }, { id: 'again' })
      .then(async (job) => {
        await rig.run(job).done;
        return rig.stored(job);
      });

    expect(stage).toMatchObject({ state: 'failed', failure: { code: 'BackendOffline' } });
  });
});
