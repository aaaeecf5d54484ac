import { describe, expect, it } from 'vitest';
import { freshDynamoRecords } from '../helpers/dynalite.ts';
import { createWorld, withHosts } from './world.ts';

describe('on the real engine', () => {
  it('a volume is created, listed, renamed, reserved, attached, detached and deleted', async () => {
    const world = createWorld(await freshDynamoRecords());
    await withHosts(world);
    const { body } = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1, name: 'one' } } });
    const { id } = body.volume;
    const place = { hostId: 'host-b', backend: 'files', pool: 'ssd' };
    const location = { ...place, objectName: `volume-${id}-create-1`, objectId: 'o', sizeBytes: 1024 ** 3 };
    await world.store.volumes.apply([id], (volume) => ({
      kind: 'write',
      next: { ...volume, status: 'available', location },
    }));

    const actions = [
      { 'os-reserve': null },
      { 'os-initialize_connection': { connector: { host: 'guest' } } },
      { 'os-attach': { mountpoint: '/dev/vdb', host_name: 'guest' } },
      { 'os-begin_detaching': null },
      { 'os-terminate_connection': { connector: { host: 'guest' } } },
      { 'os-detach': {} },
    ];
    const statuses: number[] = [];
    for (const action of actions) statuses.push((await world.act(id, action)).status);
    const renamed = await world.ask('PUT', `/v3/volumes/${id}`, { body: { volume: { name: 'two' } } });
    const found = await world.ask('GET', '/v3/volumes/detail?name=two&limit=1');
    const deleted = await world.ask('DELETE', `/v3/volumes/${id}`);

    expect(statuses).toEqual([202, 200, 202, 202, 202, 202]);
    expect(renamed.status).toBe(200);
    expect(found.body.volumes).toMatchObject([{ id, name: 'two', status: 'available', attachments: [] }]);
    expect(deleted.status).toBe(202);
    expect(world.started.map((execution) => execution.name)).toEqual([`${id}-1`, `${id}-2`]);
    expect(world.reported).toEqual([]);
  });

  it('pages of volumes follow each other without a gap', async () => {
    const world = createWorld(await freshDynamoRecords());
    await withHosts(world);
    for (const n of [1, 2, 3]) {
      await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1, name: `v${n}` } } });
      world.clock.advanceMs(1);
    }

    const names: string[] = [];
    let url = '/v3/volumes?limit=1';
    for (let page = 0; page < 4; page++) {
      const { body } = await world.ask('GET', url);
      names.push(...body.volumes.map((volume: { name: string }) => volume.name));
      const next = body.volumes_links?.[0].href;
      if (next === undefined) break;
      url = next.replace('http://volmove.test:8776', '');
    }

    expect(names).toEqual(['v3', 'v2', 'v1']);
  });
});
