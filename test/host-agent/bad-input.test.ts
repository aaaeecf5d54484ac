import { truncate } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import type { Failure } from '../../domain/error.ts';
import { CATALOGUE } from '../../domain/error-catalogue.ts';
import type { Job, JobSpec } from '../../domain/job/job.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { shrinking } from '../data-path/helpers/faults/shrinking.ts';
import { eio, enospc, failing } from '../data-path/helpers/faults/system-errors.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';
import { type CopyScene, contentOf, copyScene, pausedCopy, SIZE_BYTES } from './helpers/copy-scene.ts';
import { hostPath } from './helpers/host-path.ts';
import { spoil } from './helpers/spoiled.ts';

/** What the copy's job makes of what goes wrong: a code of the catalogue with its remedy, and the source as it was. */
const failureOf = async (agent: AgentRig, job: Job): Promise<Failure> => {
  const { stage } = await agent.stored(job);
  if (stage.state !== 'failed') throw new Error(`the job has not failed: ${JSON.stringify(stage)}`);
  return stage.failure;
};

interface Bad {
  readonly source?: (good: BlockDevice) => BlockDevice;
  readonly destination?: (good: BlockDevice) => BlockDevice;
  readonly code: keyof typeof CATALOGUE;
  readonly says: RegExp;
}

const BAD: Readonly<Record<string, Bad>> = {
  'a destination that is smaller': {
    destination: (good) => ({ ...good, sizeBytes: good.sizeBytes - CHUNK_BYTES }),
    code: 'DestinationTooSmall',
    says: /Choose another pool/,
  },
  'a source that was smaller from the start': {
    source: (good) => ({ ...good, sizeBytes: good.sizeBytes - CHUNK_BYTES }),
    code: 'DeviceShrank',
    says: /made smaller or replaced/,
  },
  'a source that shrinks while it is read': {
    source: (good) => shrinking(good, 1, CHUNK_BYTES),
    code: 'DeviceShrank',
    says: /made smaller or replaced/,
  },
  'a destination that shrinks while it is written': {
    destination: (good) => shrinking(good, 0, CHUNK_BYTES),
    code: 'NoSpace',
    says: /Free space/,
  },
  'a destination that is full': {
    destination: (good) => failing('write', 2, enospc, good),
    code: 'NoSpace',
    says: /Free space/,
  },
  'a source with a bad sector': {
    source: (good) => failing('read', 2, eio, good),
    code: 'IoError',
    says: /Check the storage/,
  },
  'a destination with a bad sector': {
    destination: (good) => failing('write', 2, eio, good),
    code: 'IoError',
    says: /Check the storage/,
  },
  'a destination that cannot flush': {
    destination: (good) => failing('flush', 1, eio, good),
    code: 'FlushFailed',
    says: /Check the destination’s storage/,
  },
};

/** Nothing is left of the copy but what a rollback removes: no checkpoint, no request in flight, and the source as it was. */
const expectCleanEnd = async (agent: AgentRig, { job, source }: CopyScene, before: Buffer): Promise<void> => {
  const opened = vi.mocked(agent.parts.backends.get(PLACE).open);
  const writable = vi.isMockFunction(opened)
    ? opened.mock.calls.filter(([object, mode]) => mode === 'rw' && object.objectName === source.objectName)
    : [];
  vi.restoreAllMocks();
  expect(writable).toEqual([]);
  expect((await contentOf(agent, source)).equals(before)).toBe(true);
  expect(await agent.parts.checkpoints.read(job.id, 0)).toBeUndefined();
  await agent.parts.exports.sealObject('whatever');
};

describe('the job of a copy with', () => {
  it.each(Object.keys(BAD))('%s fails once, by name and with a remedy', async (name) => {
    const { source, destination, code, says } = BAD[name] as Bad;
    const agent = await agentRig();
    const scene = await copyScene(agent);
    const before = await contentOf(agent, scene.source);
    if (source) spoil(agent, 'ro', source);
    if (destination) spoil(agent, 'rw', destination);

    await agent.run(scene.job).done;

    const failure = await failureOf(agent, scene.job);
    expect(failure).toMatchObject({ code, remedy: CATALOGUE[code].remedy });
    expect(failure.remedy).toMatch(says);
    expect(agent.tasks.told).toMatchObject([{ ok: false, result: { code } }]);
    await expectCleanEnd(agent, scene, before);
  });

  it('a source’s file that is cut off underneath fails as one that shrank, though a hole would look the same', async () => {
    const agent = await agentRig();
    const paused = await pausedCopy(agent);
    const path = await hostPath(agent, paused.source);

    await truncate(path, CHUNK_BYTES);
    await paused.goOn();
    await paused.running.done;

    expect(await failureOf(agent, paused.job)).toMatchObject({
      code: 'DeviceShrank',
      message: expect.stringContaining(path),
    });
  });

  it('an export that is not open fails, and says what to look after', async () => {
    const agent = await agentRig();
    const { job } = await copyScene(agent);
    const unknown = await agent.queue(job as JobSpec, { ...job, id: 'other', run: 9 });

    await agent.run(unknown).done;

    expect(await failureOf(agent, unknown)).toMatchObject({
      code: 'ExportNotOpen',
      remedy: expect.stringContaining('prepares the destination anew'),
    });
  });
});

describe('the job of a read-back of', () => {
  const verified = async (agent: AgentRig, { destination }: CopyScene): Promise<Job> => {
    const input = { object: destination, sizeBytes: SIZE_BYTES, progressIntervalSeconds: null, digest: true };
    const verifying = await agent.queue({ kind: 'data.verify', input });
    await agent.run(verifying).done;
    return verifying;
  };

  it('a destination that was cut off since fails as one that shrank', async () => {
    const agent = await agentRig();
    const scene = await copyScene(agent);
    await agent.run(scene.job).done;
    await truncate(await hostPath(agent, scene.destination), CHUNK_BYTES);

    const job = await verified(agent, scene);

    expect(await failureOf(agent, job)).toMatchObject({ code: 'DeviceShrank' });
  });

  it('a destination with a bad sector fails by name', async () => {
    const agent = await agentRig();
    const scene = await copyScene(agent);
    await agent.run(scene.job).done;
    spoil(agent, 'ro', (good) => failing('read', 2, eio, good));

    const job = await verified(agent, scene);

    expect(await failureOf(agent, job)).toMatchObject({ code: 'IoError', remedy: CATALOGUE.IoError.remedy });
  });
});
