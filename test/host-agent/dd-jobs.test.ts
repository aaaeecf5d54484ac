import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Extent } from '../../domain/block-device.ts';
import { type Job, resultOf } from '../../domain/job/job.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import { identityOf } from '../../host-agent/children/process-identity.ts';
import { POLL_MS } from '../../host-agent/dd/dd.ts';
import { DataPathError } from '../../host-agent/device/errors.ts';
import { requireDd } from '../../host-agent/jobs/dd-possible.ts';
import { naiveDigest } from '../data-path/helpers/naive-digest.ts';
import { CLIENT } from '../data-path/helpers/nbd-rig.ts';
import { until } from '../data-path/helpers/until.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { type AgentRig, agentRig, PLACE } from './helpers/agent-rig.ts';
import { contentOf } from './helpers/copy-scene.ts';
import { MIB } from './helpers/dd-rig.ts';
import { copyingDd, ddScene, filled, pausedDd, VOLUME_BYTES } from './helpers/dd-scene.ts';
import { hostPath } from './helpers/host-path.ts';

const failureOf = (job: Job): { code: string; message: string } | undefined =>
  job.stage.state === 'failed' ? job.stage.failure : undefined;

const allocatedBytes = async (agent: AgentRig, object: ObjectRef): Promise<number> =>
  (await stat(await hostPath(agent, object))).blocks * 512;

const isGone = async (pid: number): Promise<boolean> => (await identityOf(pid)) === undefined;

describe('data.copy by dd', () => {
  it('gives the digest of the volume, the same bytes, and keeps it thin', async () => {
    const agent = await agentRig();
    const { job, source, destination } = await ddScene(agent);

    await agent.run(job).done;

    const stored = await agent.stored(job);
    const content = await contentOf(agent, source);
    expect(failureOf(stored)).toBeUndefined();
    expect(resultOf(stored, 'data.copy')).toMatchObject({
      digest: await naiveDigest(content),
      generation: 1,
      writeEpoch: 0,
      bytesWritten: await allocatedBytes(agent, destination),
    });
    expect((await contentOf(agent, destination)).equals(content)).toBe(true);
    expect(await allocatedBytes(agent, destination)).toBeLessThanOrEqual(4 * MIB);
    expect(stored.recent.at(-1)).toMatchObject({ doneBytes: VOLUME_BYTES, totalBytes: VOLUME_BYTES });
  });

  it('writes all of a destination that is not known to be zero, and zeroes what is larger than the volume', async () => {
    const agent = await agentRig();
    const { job, source, destination } = await ddScene(agent, {
      destinationIsZero: false,
      destinationBytes: VOLUME_BYTES + 3 * MIB,
      digest: false,
    });
    await filled(agent, destination, 0, Buffer.alloc(VOLUME_BYTES + 3 * MIB, 0xa5));

    await agent.run(job).done;

    const result = resultOf(await agent.stored(job), 'data.copy');
    const content = await contentOf(agent, destination);
    expect(result).toMatchObject({ digest: null, bytesRead: VOLUME_BYTES, bytesWritten: VOLUME_BYTES });
    expect(content.subarray(0, VOLUME_BYTES).equals(await contentOf(agent, source))).toBe(true);
    expect(content.subarray(VOLUME_BYTES).equals(Buffer.alloc(3 * MIB))).toBe(true);
  });

  it('asks a pool that does not refuse by itself for all that it will write, and writes nothing when that is too much', async () => {
    const agent = await agentRig();
    const { job, destination } = await ddScene(agent);
    const driver = agent.parts.backends.get(PLACE);
    const open = driver.open.bind(driver);
    const asked: Extent[] = [];
    vi.spyOn(driver, 'open').mockImplementation(async (object, mode, signal) => ({
      ...(await open(object, mode, signal)),
      requireSpace: async (ranges) => {
        for await (const range of ranges) if (range.kind === 'data') asked.push(range);
        throw new DataPathError('NoSpace', 'the pool is nearly full');
      },
    }));

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))).toMatchObject({
      code: 'NoSpace',
      message: expect.stringContaining('the pool is nearly full'),
    });
    expect(asked.map(({ offset }) => offset)).toEqual([MIB, VOLUME_BYTES - 4096]);
    expect(await allocatedBytes(agent, destination)).toBe(0);
  });

  it('reads back with a digest that is equal to the source’s, under the generation that was sealed', async () => {
    const agent = await agentRig();
    const { job, destination } = await ddScene(agent);
    await agent.run(job).done;
    const verify = await agent.queue({
      kind: 'data.verify',
      input: { object: destination, sizeBytes: VOLUME_BYTES, progressIntervalSeconds: null, digest: true },
    });

    await agent.run(verify).done;

    const copied = resultOf(await agent.stored(job), 'data.copy');
    expect(resultOf(await agent.stored(verify), 'data.verify')).toMatchObject({
      digest: copied?.digest,
      generation: copied?.generation,
    });
  });

  it('is stopped by a pause, in dd and in the second read, and goes on after', async () => {
    const agent = await agentRig();
    const { job, running, pid } = await pausedDd(agent);
    const isStopped = async (): Promise<boolean> =>
      / T /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
    const pause = async (paused: boolean): Promise<void> => running.heard(await agent.wish(job, { paused }));
    await until('dd is stopped', isStopped);

    await pause(false);
    agent.time.wake(POLL_MS);
    await until('dd goes on', async () => !(await isStopped()));
    await pause(true);
    await until('dd has ended', async () => (await agent.childJournal.all()).length === 0);
    let over = false;
    const done = running.done.then(() => {
      over = true;
    });
    for (let turn = 0; turn < 1_000; turn++) await setImmediate();
    const overInPause = over;
    await pause(false);
    await done;

    expect([overInPause, await isGone(pid)]).toEqual([false, true]);
    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ generation: 1 });
  });

  it('that is cancelled kills dd at once', async () => {
    const agent = await agentRig();
    const { job, running, pid } = await pausedDd(agent);

    running.heard(await agent.wish(job, { cancel: true }));
    await running.done;

    expect(failureOf(await agent.stored(job))).toMatchObject({ code: 'Cancelled' });
    expect(await isGone(pid)).toBe(true);
    expect(await agent.childJournal.all()).toEqual([]);
  });

  it('that the agent stops leaves the job to its next attempt, which begins from zero', async () => {
    const agent = await agentRig();
    const { job, source, destination } = await ddScene(agent, { destinationIsZero: false });
    const stop = new AbortController();
    const first = agent.run(await agent.wish(job, { paused: true }), stop.signal);
    const pid = await copyingDd(agent);
    stop.abort();
    await first.done;
    const between = await agent.stored(job);

    await agent.run(await agent.wish(between, { paused: false })).done;

    expect(between.stage.state).toBe('running');
    expect(await isGone(pid)).toBe(true);
    expect(resultOf(await agent.stored(job), 'data.copy')).toMatchObject({ generation: 2 });
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });
});

describe('one writer, when dd is it', () => {
  it('a seal ends dd, and no byte arrives after it', async () => {
    const agent = await agentRig();
    const { job, destination } = await ddScene(agent, { destinationIsZero: false });
    const running = agent.run(job);
    const pid = await copyingDd(agent);
    await until('it writes', async () => (await allocatedBytes(agent, destination)) > 0);

    const sealed = await agent.parts.exports.seal(MIGRATION_ID, 1);
    const gone = await isGone(pid);
    const marked = Buffer.alloc(VOLUME_BYTES, 0xee);
    await filled(agent, destination, 0, marked);
    await running.done;

    expect(sealed).toMatchObject({ generation: 1 });
    expect(gone).toBe(true);
    expect((await contentOf(agent, destination)).equals(marked)).toBe(true);
    expect(failureOf(await agent.stored(job))).toMatchObject({ code: 'PeerRefused' });
  });

  it('a removal ends dd first, and finds nothing that has the object open', async () => {
    const agent = await agentRig();
    const { running, pid, destination } = await pausedDd(agent);
    const { objectName, objectId } = destination;
    const removal = await agent.queue({ kind: 'object.remove', input: { objectName, objectId, place: PLACE } });

    await agent.run(removal).done;
    await running.done;

    expect(resultOf(await agent.stored(removal), 'object.remove')).toEqual({ existed: true });
    expect(await isGone(pid)).toBe(true);
  });

  it('a higher generation ends the dd of the lower one, whose end is then nobody’s business', async () => {
    const agent = await agentRig();
    const { job, running, pid, source, destination } = await pausedDd(agent, { destinationIsZero: false });

    await agent.run(await agent.wish(await agent.stored(job), { paused: false })).done;
    const result = await agent.stored(job);
    await running.done;

    expect(await isGone(pid)).toBe(true);
    expect(resultOf(result, 'data.copy')).toMatchObject({ generation: 2 });
    expect(await agent.stored(job)).toEqual(result);
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('after the seal dd is never started', async () => {
    const agent = await agentRig();
    const { job, destination } = await ddScene(agent);
    await agent.parts.exports.seal(MIGRATION_ID, 1);

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))?.message).toContain('the export is sealed');
    expect(await allocatedBytes(agent, destination)).toBe(0);
  });
});

describe('dd is refused', () => {
  it('when the destination is on another host', async () => {
    const agent = await agentRig();
    const { job, destination } = await ddScene(agent, { peerFingerprint: CLIENT.fingerprint });

    await agent.run(job).done;

    expect(failureOf(await agent.stored(job))).toMatchObject({
      code: 'DdNotPossible',
      message: 'The copy engine dd cannot make this copy: the destination is not on host-a, where the source is.',
    });
    expect(await allocatedBytes(agent, destination)).toBe(0);
  });

  it('when the host has a limit, to which dd could not keep', async () => {
    const agent = await agentRig();
    const { job } = await ddScene(agent);
    const { identity, settings } = agent.parts;
    const limited = { identity, settings: { ...settings, bandwidthBytesPerSecond: MIB } };
    const input = job.kind === 'data.copy' ? job.input : undefined;

    expect(() => input && requireDd(limited, input)).toThrow(
      'host-a limits its copies to 1048576 bytes a second, and dd knows no limit',
    );
  });

  it('when the source has become smaller than the volume', async () => {
    const agent = await agentRig();
    const { job } = await ddScene(agent);
    const smaller = { ...job, id: 'other', input: { ...job.input, sizeBytes: VOLUME_BYTES + 1 } } as Job;
    await agent.store.jobs.create(smaller);

    await agent.run(smaller).done;

    expect(failureOf(await agent.stored(smaller))?.message).toContain(
      `the source has ${VOLUME_BYTES} bytes, the volume ${VOLUME_BYTES + 1}`,
    );
  });
});
