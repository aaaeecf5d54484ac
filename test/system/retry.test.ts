import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Rig, startRig, until } from './rig.ts';

const MIB = 1024 * 1024;
const DATA_MIB = 128;
const SLOW = 16 * MIB;
/** The volume is copied twice and read twice. */
const TEST_TIMEOUT_MS = 150_000;

/** Behind it nothing was filled. */
const FILLED_BYTES = 3 * DATA_MIB * MIB;

const filled = async (rig: Rig, id: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(await rig.path(id), { end: FILLED_BYTES - 1, highWaterMark: 4 * MIB }))
    hash.update(piece as Buffer);
  return hash.digest('hex');
};

interface Shown {
  readonly run: number;
  readonly state: string;
  readonly bytes_written: number;
  readonly kept: readonly { readonly role: string }[];
}

/** A migration whose destination is to be kept, and whose copy has made its first checkpoint. */
const copying = async (rig: Rig): Promise<{ id: string; before: string; migration: string }> => {
  const id = await rig.create('alpha');
  await rig.fill(id, DATA_MIB);
  const before = await filled(rig, id);
  const options = { destination_retention_seconds: 600, bandwidth_bytes_per_second: SLOW };
  const migration = await rig.migrate(id, 'beta', options);
  await until('a checkpoint is made', async () => {
    const names = await readdir(join(rig.dataDir('alpha'), 'checkpoints'));
    return names.some((name) => name.includes(migration) && name.endsWith('.json'));
  });
  return { id, before, migration };
};

const act = (rig: Rig, migration: string, body: object) => rig.call('POST', `/migrations/${migration}/action`, body);
const shown = async (rig: Rig, migration: string): Promise<Shown> =>
  (await rig.call<{ migration: Shown }>('GET', `/migrations/${migration}`)).body.migration;

const retried = async (rig: Rig, migration: string): Promise<Shown> => {
  const answer = await act(rig, migration, { retry: {} });
  expect(answer).toMatchObject({ status: 202, body: { migration: { run: 2 } } });
  await act(rig, migration, { set_bandwidth: { bytes_per_second: null } });
  await rig.ended(migration);
  return shown(rig, migration);
};

describe('a migration that is retried', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it(
    'after its destination was lost goes on from the checkpoint: less than everything is copied again',
    async () => {
      const up = await startRig(['alpha', 'beta'], { peer_away_seconds: 3 });
      rig = up;
      const { id, before, migration } = await copying(rig);

      await rig.kill('beta');
      await rig.inPhase(migration, 'failed');
      const failed = await shown(rig, migration);
      await rig.start('beta');
      await until('beta is up', async () => {
        const { body } = await up.call<{ hosts: { id: string; state: string }[] }>('GET', '/hosts');
        return body.hosts.some((host) => host.id === 'beta' && host.state === 'up');
      });
      const ended = await retried(rig, migration);

      expect(failed.kept).toMatchObject([{ role: 'destination' }]);
      expect(ended).toMatchObject({ state: 'succeeded', run: 2 });
      expect(ended.bytes_written).toBeLessThan(DATA_MIB * MIB * 0.75);
      expect(await filled(rig, id)).toBe(before);
      expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'after a guest has written writes only what differs',
    async () => {
      rig = await startRig();
      const { id, migration } = await copying(rig);
      await act(rig, migration, { cancel: {} });
      await rig.inPhase(migration, 'failed');

      await rig.action(id, { 'os-reserve': null });
      await rig.write(id, 3 * MIB, randomBytes(MIB));
      await rig.action(id, { 'os-unreserve': null });
      const before = await filled(rig, id);
      const ended = await retried(rig, migration);

      expect(ended).toMatchObject({ state: 'succeeded', run: 2 });
      expect(ended.bytes_written).toBeLessThan(DATA_MIB * MIB * 0.75);
      expect(await filled(rig, id)).toBe(before);
      expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    },
    TEST_TIMEOUT_MS,
  );
});
