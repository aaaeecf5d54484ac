import { open, readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { type Job, type JobSpec, resultOf } from '../../domain/job/job.ts';
import { exportName } from '../../domain/names.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import type { Driver, RemovableObject } from '../../host-agent/drivers/contract.ts';
import { SERVER } from '../data-path/helpers/nbd-rig.ts';
import { until } from '../data-path/helpers/until.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { type AgentRig, agentRig, INTERVAL_MS, PLACE } from './helpers/agent-rig.ts';
import { aSource, copyScene, SIZE_BYTES } from './helpers/copy-scene.ts';
import { hostPath } from './helpers/host-path.ts';

/** The file driver with one answer changed: its objects are thick. What the file held when it was removed is kept for the test. */
const thick = (
  agent: AgentRig,
  around: (device: BlockDevice) => BlockDevice = (device) => device,
  what: RemovableObject = { thin: false },
) => {
  const driver = agent.parts.backends.get(PLACE);
  const removed: Buffer[] = [];
  const calls: string[] = [];
  const double: Driver = {
    ...driver,
    async removable(object, signal) {
      const there = await driver.removable(object, signal);
      return there && what;
    },
    async open(object, mode, signal) {
      const opened = await driver.open(object, mode, signal);
      calls.push(`opens ${mode}`);
      const device = around(opened.device);
      const flush = async (): Promise<void> => {
        await device.flush();
        calls.push('flushes');
      };
      return { ...opened, device: { ...device, flush } };
    },
    async remove(object, signal) {
      const content = await readFile((await driver.path(object)) ?? '').catch(() => undefined);
      const gone = await driver.remove(object, signal);
      if (content) removed.push(content);
      calls.push('removes');
      return gone;
    },
  };
  const parts = { ...agent.parts, backends: { ...agent.parts.backends, get: () => double } };
  Object.assign(agent.parts, parts);
  return { removed, calls };
};

const removing = ({ objectName, objectId }: ObjectRef, wipe = true): JobSpec => ({
  kind: 'object.remove',
  input: { objectName, objectId, place: PLACE, ...(wipe ? { wipe } : {}) },
});
const ended = async (agent: AgentRig, spec: JobSpec, id = 'try-1'): Promise<Job> => {
  const job = await agent.queue(spec, { id });
  await agent.run(job).done;
  return agent.stored(job);
};
const failureOf = ({ stage }: Job): string | undefined => (stage.state === 'failed' ? stage.failure.code : undefined);

/** Holds the device’s write with this number until it is let go, or forever. */
const heldAt = (held: number) => {
  let writes = 0;
  let reached = false;
  let letGo: () => void = () => undefined;
  const open = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const around = (device: BlockDevice): BlockDevice => ({
    ...device,
    async write(offset, source, signal) {
      if (++writes === held) {
        reached = true;
        await open;
      }
      await device.write(offset, source, signal);
    },
  });
  return { around, reached: () => reached, letGo: () => letGo() };
};

describe('the removal of a thick object that is to be wiped', () => {
  it('overwrites every byte of it, makes that durable, and only then removes it', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const { removed, calls } = thick(agent);

    const job = await ended(agent, removing(source));

    expect(resultOf(job, 'object.remove')).toEqual({ existed: true, wiped: true });
    expect(calls).toEqual(['opens rw', 'flushes', 'removes']);
    expect(removed).toHaveLength(1);
    expect(removed[0]?.length).toBe(SIZE_BYTES);
    expect(removed[0]?.every((byte) => byte === 0)).toBe(true);
  });

  it('writes the zeroes: nothing is punched, so every block that it had is overwritten where it is', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const path = await hostPath(agent, source);
    const { calls } = thick(agent, (device) => ({
      ...device,
      writeZeroes: () => Promise.reject(new Error('a note is no zero')),
      async close() {
        calls.push(`${(await stat(path)).blocks * 512 >= SIZE_BYTES}`);
        await device.close();
      },
    }));

    await ended(agent, removing(source));

    expect(calls).toEqual(['opens rw', 'flushes', 'true', 'removes']);
  });

  it('reports how far it is', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const held = heldAt(2);
    thick(agent, held.around);
    const job = await agent.queue(removing(source), { id: 'try-1' });
    const running = agent.run(job);
    await until('it is in the middle', held.reached);

    await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
    agent.time.wake(INTERVAL_MS);
    await until('it has reported', async () => (await agent.stored(job)).progress !== null);
    const { progress } = await agent.stored(job);
    held.letGo();
    await running.done;

    expect(progress).toMatchObject({ doneBytes: 4 * 1024 * 1024, totalBytes: SIZE_BYTES });
    expect((await agent.stored(job)).progress).toMatchObject({ doneBytes: SIZE_BYTES, totalBytes: SIZE_BYTES });
  });

  it('that is stopped with its agent is neither ended nor removed; the next attempt wipes it all and removes it', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const held = heldAt(2);
    const { removed } = thick(agent, held.around);
    const job = await agent.queue(removing(source), { id: 'try-1' });
    const stop = new AbortController();
    const running = agent.run(job, stop.signal);
    await until('it is in the middle', held.reached);

    stop.abort(new Error('the agent stops'));
    held.letGo();
    await running.done;
    const stopped = await agent.stored(job);
    const path = await hostPath(agent, source);
    const file = await open(path, 'r+');
    await file.write(Buffer.from('an older page that came late'), 0, 28, 0);
    await file.close();
    await agent.run(stopped).done;

    expect(stopped.stage.state).toBe('running');
    expect(removed).toHaveLength(1);
    expect(removed[0]?.every((byte) => byte === 0)).toBe(true);
    expect(resultOf(await agent.stored(job), 'object.remove')).toEqual({ existed: true, wiped: true });
  });

  it('that is cancelled removes nothing', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const held = heldAt(2);
    const { removed } = thick(agent, held.around);
    const job = await agent.queue(removing(source), { id: 'try-1' });
    const running = agent.run(job);
    await until('it is in the middle', held.reached);

    running.heard(await agent.wish(job, { cancel: true }));
    held.letGo();
    await running.done;

    expect(failureOf(await agent.stored(job))).toBe('Cancelled');
    expect(removed).toEqual([]);
  });

  it('whose zeroes cannot be made durable fails, and the object stays for the next try', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const { removed } = thick(agent, (device) => ({
      ...device,
      flush: () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })),
    }));

    const job = await ended(agent, removing(source));

    expect(job.stage.state).toBe('failed');
    expect(removed).toEqual([]);
    expect((await stat(await hostPath(agent, source))).size).toBe(SIZE_BYTES);
  });

  it('leaves alone what somebody has open, and what is another object by now', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const path = await hostPath(agent, source);
    const before = await readFile(path);
    const { calls } = thick(agent);

    const holder = await open(path, 'r');
    const busy = await ended(agent, removing(source), 'try-1');
    await holder.close();
    const replaced = await ended(agent, removing({ ...source, objectId: 'inode-0' }), 'try-2');

    expect([failureOf(busy), failureOf(replaced)]).toEqual(['ObjectBusy', 'ObjectBusy']);
    expect(calls).toEqual([]);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('seals who writes to it first: what is zero stays zero', async () => {
    const agent = await agentRig();
    const { destination } = await copyScene(agent);
    await agent.parts.exports.resolve(exportName(MIGRATION_ID, 1, 1), SERVER.fingerprint);
    const sealed: boolean[] = [];
    thick(agent, (device) => ({
      ...device,
      async write(offset, memory, signal) {
        sealed.push(agent.generations.get(MIGRATION_ID, 1)?.sealed === true);
        await device.write(offset, memory, signal);
      },
    }));

    const job = await ended(agent, removing(destination));

    expect(resultOf(job, 'object.remove')).toMatchObject({ wiped: true });
    expect(new Set(sealed)).toEqual(new Set([true]));
  });

  it('finds nothing to wipe of what is gone already', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    thick(agent);
    await ended(agent, removing(source), 'try-1');

    expect(resultOf(await ended(agent, removing(source), 'try-2'), 'object.remove')).toEqual({
      existed: false,
      wiped: false,
    });
  });

  it('is as it always was when wipe was not asked for', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const { removed, calls } = thick(agent);

    const job = await ended(agent, removing(source, false));

    expect(resultOf(job, 'object.remove')).toEqual({ existed: true });
    expect(calls).toEqual(['removes']);
    expect(removed[0]?.some((byte) => byte !== 0)).toBe(true);
  });
});

describe('the removal of a thin object that is to be wiped', () => {
  it('whose blocks others are given as they are overwrites its data, and takes no space for its holes', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);
    const path = await hostPath(agent, source);
    const file = await open(path, 'r+');
    await file.truncate(2 * SIZE_BYTES);
    await file.close();
    const before = await stat(path);
    let blocks = 0;
    const { removed } = thick(
      agent,
      (device) => ({
        ...device,
        async close() {
          blocks = (await stat(path)).blocks;
          await device.close();
        },
      }),
      { thin: false, onlyData: true },
    );

    const job = await ended(agent, removing(source));

    expect(resultOf(job, 'object.remove')).toEqual({ existed: true, wiped: true });
    expect(removed[0]?.length).toBe(2 * SIZE_BYTES);
    expect(removed[0]?.every((byte) => byte === 0)).toBe(true);
    expect(blocks).toBe(before.blocks);
    expect(job.progress).toMatchObject({ doneBytes: 2 * SIZE_BYTES, totalBytes: 2 * SIZE_BYTES });
  });

  it('writes nothing, and says that it was thin', async () => {
    const agent = await agentRig();
    const source = await aSource(agent);

    const job = await ended(agent, removing(source));

    expect(resultOf(job, 'object.remove')).toEqual({ existed: true, wiped: 'thin' });
    expect(job.progress).toBeNull();
  });
});
