import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../domain/job/job.ts';
import { createDigest } from '../../host-agent/digest/digest.ts';
import { CHUNK_BYTES, leafHash } from '../../host-agent/digest/tree-hash.ts';
import { openCheckpointJournal } from '../../host-agent/journal/checkpoints.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { agentRig } from './helpers/agent-rig.ts';
import { contentOf, copyScene, SIZE_BYTES } from './helpers/copy-scene.ts';

const JOB_ID = 'm.1.data.copy';

const digestAt = (chunks: number, sizeBytes = SIZE_BYTES) => {
  const digest = createDigest(sizeBytes);
  for (let chunk = 0; chunk < chunks; chunk++) digest.chunk(leafHash(Buffer.alloc(CHUNK_BYTES, 0x77)));
  return digest.state();
};
const checkpoint = { settledBytes: 3 * CHUNK_BYTES, digest: digestAt(3) };
const GOOD = { jobId: JOB_ID, writeEpoch: 0, checkpoint };
const whole = JSON.stringify(GOOD);
const of = (change: object): string => JSON.stringify({ ...GOOD, ...change });
const ofDigest = (change: object): string =>
  of({ checkpoint: { ...checkpoint, digest: { ...checkpoint.digest, ...change } } });

const VOID: Readonly<Record<string, string>> = {
  'of another job': of({ jobId: 'another.1.data.copy' }),
  'of another write epoch': of({ writeEpoch: 1 }),
  'in another format': ofDigest({ format: 'volmove-merkle-0' }),
  'of another volume size': of({ checkpoint: { ...checkpoint, digest: digestAt(3, SIZE_BYTES * 2) } }),
  'that is no JSON': 'not at all {',
  'that is empty': '',
  'that is cut off': whole.slice(0, whole.length / 2),
  'that is null': 'null',
  'that is a list': '[1, 2, 3]',
  'without a digest': of({ checkpoint: { settledBytes: 3 * CHUNK_BYTES } }),
  'with a hash too few': ofDigest({ frontier: checkpoint.digest.frontier.slice(1) }),
  'with a hash that is none': ofDigest({ frontier: checkpoint.digest.frontier.map(() => 'zz') }),
  'with more chunks than the volume has': ofDigest({ chunks: 3_000_000 }),
  'with a negative mark': ofDigest({ chunks: -3 }),
  'whose mark and digest differ': of({ checkpoint: { ...checkpoint, settledBytes: 2 * CHUNK_BYTES } }),
};

describe('a checkpoint', () => {
  it.each(Object.keys(VOID))('%s is void: the copy starts anew, and what it copies is proven', async (what) => {
    const agent = await agentRig();
    const { job, source, destination } = await copyScene(agent);
    const text = (VOID[what] ?? '').replaceAll(JOB_ID, job.id);
    await writeFile(join(agent.directory, 'checkpoints', `${encodeURIComponent(job.id)}.json`), text);

    await agent.run(job).done;

    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ bytesRead: CHUNK_BYTES + 512 });
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
    expect(await agent.parts.checkpoints.read(job.id, 0)).toBeUndefined();
  });

  it('that is sound is gone on with: nothing below its mark is read again', async () => {
    const agent = await agentRig();
    const { job } = await copyScene(agent);
    await agent.parts.checkpoints.write({ jobId: job.id, writeEpoch: 0, checkpoint });

    await agent.run(job).done;

    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ bytesRead: 512 });
  });
});

describe('the journal of checkpoints', () => {
  it('forgets at its start what a process that was killed has left half written', async () => {
    const directory = await tempDir();
    const first = await openCheckpointJournal(directory);
    await first.write(GOOD);
    const half = join(directory, 'checkpoints', `${JOB_ID}.json.1${process.pid}.0.tmp`);
    await writeFile(half, '{"jobId":');

    const journal = await openCheckpointJournal(directory);

    expect((await thrownBy(writeFile(half, '', { flag: 'r+' }))).message).toContain('ENOENT');
    expect(await journal.read(JOB_ID, 0)).toEqual(checkpoint);
  });
});
