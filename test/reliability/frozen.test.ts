import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type MigrationBody, type Rig, startRig, until } from '../system/rig.ts';

/**
 * An agent that is frozen for longer than `host_lost_after` (15 s in the embedded cloud) is given up; the volume is its guest's
 * again. When it wakes up in the middle of what it was doing, it must find that none of it is its business any more.
 */

const TIME_OUT_MS = 180_000;
const SLOW = 4 * 1024 * 1024;
const GUEST = randomBytes(1024 * 1024);

/** The first thing that the copy has read long before it was stopped: a late write of it would bring old bytes back. */
const GUEST_OFFSET = 0;

const inPhase = async (rig: Rig, phase: string): Promise<{ id: string; migration: string }> => {
  const id = await rig.create('alpha');
  await rig.fill(id, 48);
  const pace = phase === 'copying' ? { bandwidth_bytes_per_second: SLOW } : {};
  const migration = await rig.migrate(id, 'beta', pace);
  await rig.inPhase(migration, phase);
  return { id, migration };
};

/** Attaches and writes: what the guest has from here on is the truth. */
const useVolume = async (rig: Rig, id: string): Promise<string> => {
  const reserved = await rig.action(id, { 'os-reserve': null });
  expect(reserved.status).toBe(202);
  await rig.write(id, GUEST_OFFSET, GUEST);
  const content = await rig.content(id);
  await rig.action(id, { 'os-unreserve': null });
  return content;
};

const isUp = (rig: Rig, host: string): Promise<unknown> =>
  until(`${host} is up`, async () => {
    const { body } = await rig.call<{ hosts: { id: string; state: string }[] }>('GET', '/hosts');
    return body.hosts.find(({ id, state }) => id === host && state === 'up');
  });

const verdict = ({ state, reason, story }: MigrationBody) => ({
  state,
  reason,
  begins: story[0],
  length: story.length,
});

describe('an agent that is frozen for longer than its host is waited for, and wakes up', () => {
  let rig: Rig;
  afterEach(() => rig.stop());

  it(
    'as the source in mid-copy, finds its migration rolled back, and changes nothing of that',
    async () => {
      rig = await startRig();
      const { id, migration } = await inPhase(rig, 'copying');

      rig.freeze('alpha');
      const ended = await rig.ended(migration);
      const content = await useVolume(rig, id);
      rig.thaw('alpha');
      await isUp(rig, 'alpha');
      const again = await rig.ended(await rig.migrate(id, 'beta'));

      expect(ended).toMatchObject({ state: 'failed', reason: { code: 'HostLost' } });
      expect(verdict(await rig.migration(migration))).toEqual(verdict(ended));
      expect(again).toMatchObject({ state: 'succeeded' });
      expect(await rig.content(id)).toBe(content);
      expect((await rig.objects()).filter((name) => name.includes(id))).toEqual([expect.stringContaining(again.id)]);
    },
    TIME_OUT_MS,
  );

  it.each(['copying', 'verifying'])(
    'as the destination while it is %s, removes what it was making and leaves the volume alone',
    async (phase) => {
      rig = await startRig(['alpha', 'beta'], { peer_away_seconds: 60 });
      const { id, migration } = await inPhase(rig, phase);

      rig.freeze('beta');
      const failed = await rig.inPhase(migration, 'failed');
      const content = await useVolume(rig, id);
      rig.thaw('beta');
      const ended = await rig.ended(migration);

      expect(failed).toMatchObject({ state: 'failed', reason: { code: 'HostLost' } });
      expect(ended.cleanup.state).toBe('done');
      expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'alpha@files#main' });
      expect(await rig.content(id)).toBe(content);
      expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    },
    TIME_OUT_MS,
  );
});
