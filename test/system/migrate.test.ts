import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig, until } from './rig.ts';

const SLOW = 24 * 1024 * 1024;

describe('a volume migrates for real', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig?.stop());

  it('ends at its destination with the same content and id, proven by both digests, and nothing is left at the source', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const before = await rig.content(id);

    const ended = await rig.ended(await rig.migrate(id, 'beta'));

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
    expect(await rig.volume(id)).toMatchObject({
      id,
      status: 'available',
      migration_status: 'success',
      'os-vol-host-attr:host': 'beta@files#main',
    });
    expect(await rig.content(id)).toBe(before);
    expect((await rig.objects()).filter((name) => name.includes(id))).toEqual([expect.stringContaining('beta/')]);
  });

  it('is in maintenance while it is moved locked, refuses an attach, and is given back after', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const migration = await rig.migrate(id, 'beta', { lock: true, bandwidth_bytes_per_second: SLOW });
    await rig.inPhase(migration, 'copying');

    const status = (await rig.volume(id)).status;
    const attach = await rig.action(id, { 'os-reserve': null });
    const ended = await rig.ended(migration);

    expect(status).toBe('maintenance');
    expect(attach).toMatchObject({
      status: 400,
      body: {
        badRequest: {
          message: expect.stringContaining(
            'Volume status must be available to reserve, but the status is maintenance.',
          ),
        },
      },
    });
    expect(ended.state).toBe('succeeded');
    expect((await rig.volume(id)).status).toBe('available');
  });

  it('gives way at once to an attach when it is not locked, and keeps every byte that the guest writes', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const migration = await rig.migrate(id, 'beta', { bandwidth_bytes_per_second: SLOW });
    await rig.inPhase(migration, 'copying');

    const reserved = await rig.action(id, { 'os-reserve': null });
    await rig.action(id, { 'os-initialize_connection': { connector: { host: 'compute' } } });
    await rig.action(id, { 'os-attach': { mountpoint: '/dev/vdb', host_name: 'compute', mode: 'rw' } });
    await rig.write(id, 5_000, Buffer.from('written by the guest after its attach'));
    const written = await rig.content(id);
    const ended = await rig.ended(migration);

    expect(reserved.status).toBe(202);
    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'AbortedByAttach' } });
    expect(await rig.volume(id)).toMatchObject({
      status: 'in-use',
      migration_status: 'error',
      'os-vol-host-attr:host': 'alpha@files#main',
    });
    expect(await rig.content(id)).toBe(written);
    expect((await rig.objects()).filter((name) => name.includes(id))).toEqual([expect.stringContaining('alpha/')]);
  });

  it('ends where it was when it is cancelled in mid-copy, unlocked, with the reason, and removes what it had made', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const before = await rig.content(id);
    const migration = await rig.migrate(id, 'beta', { lock: true, bandwidth_bytes_per_second: SLOW });
    await rig.inPhase(migration, 'copying');

    const cancelled = await rig.call('POST', `/migrations/${migration}/action`, { cancel: {} });
    const ended = await rig.ended(migration);

    expect(cancelled.status).toBe(202);
    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'Cancelled', message: 'Cancelled by admin.' } });
    expect(await rig.volume(id)).toMatchObject({
      status: 'available',
      migration_status: 'error',
      'os-vol-host-attr:host': 'alpha@files#main',
    });
    expect(await rig.content(id)).toBe(before);
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
  });

  it('refuses a second migration and a delete while one is active', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const migration = await rig.migrate(id, 'beta', { bandwidth_bytes_per_second: SLOW });

    const second = await rig.action(id, { 'os-migrate_volume': { host: 'beta@files#main' } });
    const deleted = await rig.call('DELETE', `/volumes/${id}`);
    await rig.call('POST', `/migrations/${migration}/action`, { cancel: {} });

    expect([second.status, deleted.status]).toEqual([400, 400]);
    expect((await rig.ended(migration)).state).toBe('failed');
  });

  it('is deleted with its object, and is gone from every list', async () => {
    const id = await rig.create('beta');

    const reply = await rig.call('DELETE', `/volumes/${id}`);

    expect(reply.status).toBe(202);
    await until('the volume is gone', async () => (await rig.call('GET', `/volumes/${id}`)).status === 404);
    expect((await rig.objects()).filter((name) => name.includes(id))).toEqual([]);
  });
});
