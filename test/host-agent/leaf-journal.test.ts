import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { openLeafJournal } from '../../host-agent/journal/leaves.ts';
import { someLeaf } from '../data-path/helpers/leaf-files.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { until } from '../data-path/helpers/until.ts';
import { agentRig } from './helpers/agent-rig.ts';
import { copyScene } from './helpers/copy-scene.ts';

const SIZE_BYTES = 5 * CHUNK_BYTES;

const written = async (directory: string, ...jobIds: string[]) => {
  const journal = await openLeafJournal(directory);
  for (const jobId of jobIds) {
    const file = await journal.begin(jobId, SIZE_BYTES, 0);
    file.chunk(someLeaf(1));
    file.zeroes(4);
    await file.close();
  }
  return journal;
};

describe('the leaf files of a host', () => {
  it('go with their jobs, also those that an earlier process has left', async () => {
    const directory = await tempDir();
    await written(directory, 'a', 'b');
    const later = await openLeafJournal(directory);
    const file = await later.begin('c', SIZE_BYTES, 0);
    await file.close();

    await later.keepOnly(['b', 'c', 'of nothing']);

    expect((await readdir(join(directory, 'leaves'))).toSorted()).toEqual(['b', 'c']);
  });

  it('are none for a volume of another size, and none where there is none', async () => {
    const journal = await written(await tempDir(), 'a');

    expect(await journal.open('a', SIZE_BYTES + CHUNK_BYTES)).toBeUndefined();
    expect(await journal.open('b', SIZE_BYTES)).toBeUndefined();
  });

  it('take the name of any job, and no other path', async () => {
    const directory = await tempDir();
    await written(directory, '../../etc/x', 'volume.1');

    expect(await readdir(join(directory, 'leaves'))).toHaveLength(2);
  });
});

describe('the leaves of a copy', () => {
  it('stay when it has succeeded, because its proof may still need them, and go when it has failed', async () => {
    const kept: boolean[] = [];
    for (const fails of [false, true]) {
      const agent = await agentRig();
      const { job } = await copyScene(agent);
      if (fails) await agent.parts.exports.seal(job.migrationId ?? '', job.run);
      await agent.run(job).done;
      await until('it has ended', async () => 'endedAtMs' in (await agent.stored(job)).stage);

      const file = await agent.parts.leaves.open(job.id, 4 * CHUNK_BYTES + 512);
      kept.push(file !== undefined);
      await file?.close();
    }

    expect(kept).toEqual([true, false]);
  });
});
