import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type MigrationBody, type Rig, startRig, until } from './rig.ts';

interface Kept extends MigrationBody {
  readonly kept: readonly { readonly role: string; readonly host: string; readonly object: string }[];
  readonly restored_at: string | null;
  readonly volume_at: string | null;
}

/** Real agents, real files: a volume goes, is written to, and comes back as it was. */
describe('a volume whose source is kept', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  const place = async (id: string): Promise<string | null> => (await (rig as Rig).volume(id))['os-vol-host-attr:host'];
  const restore = (migration: string, discard: boolean) =>
    (rig as Rig).call<Record<string, { readonly error_code: string }>>('POST', `/migrations/${migration}/action`, {
      restore: { discard_changes: discard },
    });

  it('comes back with its content of before, and nothing is left over', async () => {
    rig = await startRig();
    const id = await rig.create('alpha');
    await rig.fill(id, 8);
    const before = await rig.content(id);
    const migration = await rig.migrate(id, 'beta', { source_retention_seconds: 3_600, wipe: true });
    const moved = (await rig.ended(migration)) as Kept;
    const whileKept = await rig.objects();

    // a guest uses it there
    await rig.action(id, { 'os-reserve': null });
    const { body } = await rig.call<{ connection_info: { data: { device_path: string } } }>(
      'POST',
      `/volumes/${id}/action`,
      { 'os-initialize_connection': { connector: { host: 'guest' } } },
    );
    const inUse = await restore(migration, true);
    await rig.write(id, 4096, Buffer.from('written at beta'));
    await rig.action(id, { 'os-terminate_connection': { connector: { host: 'guest' } } });
    await rig.action(id, { 'os-unreserve': null });
    const unasked = await restore(migration, false);
    const still = await place(id);

    const done = await restore(migration, true);
    const back = await place(id);
    const ended = (await rig.ended(migration)) as Kept;
    await until('nothing is left at beta', async () => (await (rig as Rig).objects()).length === 1);
    const again = await restore(migration, true);

    expect(moved.kept).toMatchObject([{ role: 'source', host: 'alpha@files#main' }]);
    expect(new Set(whileKept.map((name) => name.split('/')[0]))).toEqual(new Set(['alpha', 'beta']));
    expect(body.connection_info.data.device_path).toContain('/beta/');
    expect([inUse.status, unasked.status, done.status, again.status]).toEqual([409, 409, 202, 202]);
    expect(Object.values(unasked.body)[0]?.error_code).toBe('ChangesSinceMigration');
    expect(still).toBe('beta@files#main');
    expect(back).toBe('alpha@files#main');
    expect(await rig.content(id)).toBe(before);
    expect(ended).toMatchObject({ state: 'succeeded', kept: [], volume_at: 'alpha@files#main' });
    expect(ended.restored_at).not.toBeNull();
    expect(ended.story.at(-1)?.why).toContain('which was thin: there was nothing to wipe');
    expect((await readdir(rig.pool('beta'))).filter((name) => name.endsWith('.img'))).toEqual([]);
  }, 120_000);
});
