import { describe, expect, it } from 'vitest';
import { type Job, type JobSpec, resultOf } from '../../domain/job/job.ts';
import { exportName } from '../../domain/names.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import { naiveDigest } from '../data-path/helpers/naive-digest.ts';
import { CLIENT, SERVER } from '../data-path/helpers/nbd-rig.ts';
import { until } from '../data-path/helpers/until.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';
import { contentOf, copyScene, objectNamed, pausedCopy, SIZE_BYTES } from './helpers/copy-scene.ts';

const NEVER = new AbortController().signal;
const FIRST_PAUSE_MS = 200;

const ended = async (agent: AgentRig, spec: JobSpec, change: Partial<Job> = {}): Promise<Job> => {
  const job = await agent.queue(spec, change);
  await agent.run(job).done;
  return agent.stored(job);
};

const failureOf = (job: Job): { code: string; message: string } | undefined =>
  job.stage.state === 'failed' ? job.stage.failure : undefined;

const verifying = (object: ObjectRef, digest = true): JobSpec => ({
  kind: 'data.verify',
  input: { object, sizeBytes: SIZE_BYTES, progressIntervalSeconds: null, digest },
});

const removing = ({ objectName, objectId }: ObjectRef): JobSpec => ({
  kind: 'object.remove',
  input: { objectName, objectId, place: PLACE },
});

describe('destination.prepare', () => {
  it('makes the object, opens its export to the source alone, and tells where it listens', async () => {
    const agent = await agentRig();
    const input = { objectName: 'd', place: PLACE, sizeBytes: SIZE_BYTES, admitFingerprint: CLIENT.fingerprint };

    const job = await ended(agent, { kind: 'destination.prepare', input });

    expect(resultOf(job, 'destination.prepare')).toMatchObject({
      object: { ...PLACE, objectName: 'd', sizeBytes: SIZE_BYTES },
      zero: true,
      address: agent.server.address,
      fingerprint: SERVER.fingerprint,
    });
    const name = exportName(MIGRATION_ID, 1, 1);
    expect(await agent.parts.exports.resolve(name, 'another')).toHaveProperty('refused');
    expect(await agent.parts.exports.resolve(name, CLIENT.fingerprint)).toHaveProperty('device');
  });

  it('that is done again finds its object, and does not call it zero any more', async () => {
    const agent = await agentRig();
    const input = { objectName: 'd', place: PLACE, sizeBytes: SIZE_BYTES, admitFingerprint: CLIENT.fingerprint };
    const first = await ended(agent, { kind: 'destination.prepare', input });

    const again = await ended(agent, { kind: 'destination.prepare', input }, { id: 'again' });

    const [a, b] = [resultOf(first, 'destination.prepare'), resultOf(again, 'destination.prepare')];
    expect(b).toEqual({ ...a, zero: false });
  });
});

describe('data.copy and data.verify', () => {
  it('give the digest of the volume at both ends, and the same bytes', async () => {
    const agent = await agentRig();
    const { job, source, destination } = await copyScene(agent);

    await agent.run(job).done;
    const verified = await ended(agent, verifying(destination));

    const content = await contentOf(agent, source);
    const digest = await naiveDigest(content);
    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ digest, generation: 1, writeEpoch: 0 });
    expect(resultOf(verified, 'data.verify')).toMatchObject({ digest, generation: 1 });
    expect((await contentOf(agent, destination)).equals(content)).toBe(true);
    expect(await agent.parts.checkpoints.read(job.id, 0)).toBeUndefined();
  });

  it('whose connection breaks comes back as a higher attempt, which is a higher generation of the export', async () => {
    const agent = await agentRig();
    const { running, job, goOn, source, destination } = await pausedCopy(agent);

    agent.server.dropConnections();
    await goOn();
    await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;

    const stored = await agent.stored(job);
    expect(stored.attempt).toBe(2);
    expect(resultOf(stored, 'data.copy')).toMatchObject({ generation: 2 });
    expect(agent.generations.get(MIGRATION_ID, 1)).toMatchObject({ attempt: 2 });
    expect(stored.recent.at(-1)).toMatchObject({ attempt: 2, doneBytes: SIZE_BYTES });
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('that was taken over does not come back: its renewal is refused, and it writes nothing', async () => {
    const agent = await agentRig();
    const { running, job, goOn } = await pausedCopy(agent);
    agent.server.dropConnections();
    await goOn();
    await until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);
    await agent.run(await agent.wish(job, { paused: false })).done;
    const result = await agent.stored(job);

    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;

    expect(result).toMatchObject({ attempt: 2, stage: { state: 'succeeded' } });
    expect(await agent.stored(job)).toEqual(result);
    expect(agent.tasks.told.length).toBe(1);
  });

  it('of a source that is smaller than the volume fails before it connects', async () => {
    const agent = await agentRig();
    const { job } = await copyScene(agent);
    const spec = { kind: 'data.copy', input: { ...job.input, sizeBytes: SIZE_BYTES + 1 } } as JobSpec;

    const failed = await ended(agent, spec, { id: 'other' });

    expect(failureOf(failed)?.message).toContain(`the source has ${SIZE_BYTES} bytes`);
    expect(agent.generations.get(MIGRATION_ID, 1)).toMatchObject({ attempt: 0 });
  });

  it('after the seal finds the export closed for ever', async () => {
    const agent = await agentRig();
    const { job, destination } = await copyScene(agent);
    await ended(agent, verifying(destination, false));

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))).toMatchObject({ code: 'PeerRefused' });
    expect(failureOf(await agent.stored(job))?.message).toContain('sealed');
  });

  it('without an export here, or of another object than the export wrote to, is no proof', async () => {
    const agent = await agentRig();
    const { destination } = await copyScene(agent);
    const elsewhere = await objectNamed(agent, 'elsewhere');

    const without = await ended(agent, verifying(destination), { id: 'without', run: 9 });
    const other = await ended(agent, verifying(elsewhere), { id: 'other' });

    expect([failureOf(without)?.code, failureOf(other)?.code]).toEqual(['NoProof', 'NoProof']);
  });
});

describe('object.remove', () => {
  it('seals the export that is open to the object, then removes it; a second time there is nothing left', async () => {
    const agent = await agentRig();
    const { destination } = await copyScene(agent);
    await agent.parts.exports.resolve(exportName(MIGRATION_ID, 1, 1), SERVER.fingerprint);

    const first = await ended(agent, removing(destination), { id: 'try-1' });
    const second = await ended(agent, removing(destination), { id: 'try-2' });

    expect(resultOf(first, 'object.remove')).toEqual({ existed: true });
    expect(resultOf(second, 'object.remove')).toEqual({ existed: false });
    expect(agent.generations.get(MIGRATION_ID, 1)).toMatchObject({ sealed: true });
  });

  it('of what never was leaves a tombstone: a create that comes late makes nothing', async () => {
    const agent = await agentRig();
    const never = { ...PLACE, objectName: 'never', objectId: 'none', sizeBytes: 0 };
    await ended(agent, removing(never), { id: 'try-1' });

    const late = await ended(agent, {
      kind: 'volume.create',
      input: { objectName: 'never', place: PLACE, sizeBytes: 4096 },
    });

    expect(failureOf(late)?.code).toBe('ObjectTombstoned');
    expect(await agent.parts.backends.get(PLACE).find({ ...PLACE, objectName: 'never' }, NEVER)).toBeUndefined();
  });

  it('of a source that somebody has open fails with who has it, and removes nothing', async () => {
    const agent = await agentRig();
    const { source } = await copyScene(agent);
    const { device } = await agent.parts.backends.get(PLACE).open(source, 'ro', NEVER);

    const busy = await ended(agent, removing(source), { id: 'try-1' });
    await device.close();
    const free = await ended(agent, removing(source), { id: 'try-2' });

    expect(failureOf(busy)?.code).toBe('ObjectBusy');
    expect(failureOf(busy)?.message).toContain(String(process.pid));
    expect(resultOf(free, 'object.remove')).toEqual({ existed: true });
  });
});
