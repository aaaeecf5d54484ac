import { describe, expect, it } from 'vitest';
import { createdObjectName } from '../../domain/names.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aHost, anObject, aPoolReport, SOURCE, VOLUME_ID } from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { createWorld, MEMBER, type World, withHosts, withVolume } from './world.ts';

const A = 'host-a@files#ssd';
const REF = { 'source-name': 'disk1' };
const URLS = ['/v3/project/manageable_volumes', '/v3/manageable_volumes', '/v3/project/os-volume-manage'];

/** As python-cinderclient sends it: every key that it knows, most of them null. */
const asked = (change: object = {}) => ({
  volume: {
    host: A,
    ref: REF,
    name: null,
    description: null,
    volume_type: null,
    availability_zone: null,
    metadata: null,
    bootable: false,
    ...change,
  },
});

const world = async (): Promise<World> => {
  const made = createWorld();
  await withHosts(made);
  return made;
};
const manage = async (made: World, change: object = {}, version = '3.70') =>
  made.ask('POST', '/v3/project/manageable_volumes', { body: asked(change), version });
const messageOf = ({ body }: Awaited<ReturnType<typeof manage>>): string =>
  body[Object.keys(body)[0] ?? '']?.message ?? '';

describe('manage', () => {
  it.each(URLS)('writes the volume down and starts what finds its object, at %s', async (url) => {
    const made = await world();
    const body = asked({ name: ' db ', description: 'from the old array', metadata: { a: 'b' } });

    const answer = await made.ask('POST', url, { body, version: '3.70' });

    expect(answer.status).toBe(202);
    const { id } = answer.body.volume;
    expect(answer.body.volume).toMatchObject({ status: 'creating', size: 0, name: 'db', metadata: { a: 'b' } });
    expect(Object.keys(answer.body.volume).filter((key) => key.startsWith('os-vol'))).toEqual([]);
    expect(await made.store.volumes.get(id)).toMatchObject({
      status: 'managing',
      location: null,
      placement: SOURCE,
      adopted: { poolId: 'pool-a', reference: { objectName: 'disk1' } },
    });
    expect(made.started).toEqual([{ machine: 'volume-job', name: `${id}-1`, input: { volumeId: id, operation: 1 } }]);
  });

  it('takes the backend’s own id, and a backend without a pool’s name where it has one pool', async () => {
    const made = await world();

    const { body } = await manage(made, { host: 'host-b@files', ref: { 'source-id': 'inode-7' } });

    expect(await made.store.volumes.get(body.volume.id)).toMatchObject({
      placement: { hostId: 'host-b', pool: 'ssd' },
      adopted: { poolId: 'pool-b', reference: { objectId: 'inode-7' } },
    });
  });

  it('shows a volume that could not be taken over as one in error, and lists it under both words', async () => {
    const made = await world();
    await withVolume(made, { status: 'error_managing', location: null });

    const shown = await made.ask('GET', `/v3/volumes/${VOLUME_ID}`);
    const lists = await Promise.all(
      ['error', 'error_managing', 'creating'].map((status) => made.ask('GET', `/v3/volumes?status=${status}`)),
    );

    expect(shown.body.volume.status).toBe('error');
    expect(lists.map(({ body }) => body.volumes.length)).toEqual([1, 1, 0]);
  });

  it.each([
    ['no host', { host: null }, 'One and only one of cluster and host must be set.'],
    ['a host and a cluster', { cluster: 'c' }, 'One and only one of cluster and host must be set.'],
    ['a cluster', { host: null, cluster: 'c@files' }, "Host 'c@files' not found"],
    ['an unknown host', { host: 'nowhere@files#ssd' }, "Host 'nowhere@files#ssd' not found"],
    ['an unknown backend', { host: 'host-a@lvm#ssd' }, "Host 'host-a@lvm#ssd' not found"],
    ['an unknown pool', { host: 'host-a@files#tape' }, "Host 'host-a@files#tape' not found"],
    ['one of many pools left open', { host: 'host-a@files' }, "Host 'host-a@files' not found"],
    ['no place at all', { host: 'nonsense' }, "Host 'nonsense' not found"],
    ['a host that is down', { host: 'host-c@files#ssd' }, 'Service is unavailable at this time.'],
    ['a reference that is empty', { ref: {} }, 'Reference must contain source-name or source-id element'],
    ['an empty name', { ref: { 'source-name': '' } }, 'Reference must contain source-name or source-id element'],
    ['a reference that is a text', { ref: 'disk1' }, 'Reference must contain source-name or source-id element'],
    ['both references', { ref: { ...REF, 'source-id': 'x' } }, 'not both'],
    ['a way out of the pool', { ref: { 'source-name': '../../etc/shadow' } }, 'it is no name of an object in a pool'],
    ['what volmove has made', { ref: { 'source-name': createdObjectName(VOLUME_ID, 1) } }, 'it is volmove’s own'],
    ['a volume type', { volume_type: 'gold' }, "Cannot find requested 'gold' volume type"],
    ['a zone', { availability_zone: 'mars' }, "Availability zone 'mars' is invalid."],
    ['a bootable volume', { bootable: 'True' }, 'bootable'],
    ['a key that nobody knows', { size: 3 }, 'Additional properties are not allowed'],
    ['control characters', { name: 'a\u0007' }, 'contains control characters'],
  ])('refuses %s', async (_what, change, why) => {
    const made = await world();

    const answer = await manage(made, change);

    expect(answer.status).toBe(400);
    expect(messageOf(answer)).toContain(why);
    expect(made.started).toEqual([]);
    expect(await made.store.volumes.all()).toEqual([]);
  });

  it.each([{}, { volume: {} }, { volume: { host: A } }, { volume: null }])('refuses a body like %j', async (body) => {
    const made = await world();

    expect((await made.ask('POST', '/v3/os-volume-manage', { body })).status).toBe(400);
  });

  it('refuses a pool that is offline, with the reason', async () => {
    const made = createWorld();
    const pools = [aPoolReport({ poolId: 'x', state: 'offline', reason: 'not mounted' })];
    const backends = [{ name: 'files', driver: 'file', migrationProgressReport: true, pools }];
    await made.store.hosts.create(aHost('host-a', { backends }));

    expect(messageOf(await manage(made))).toContain('not mounted');
  });

  it('refuses what a volume has already, in the standard’s words', async () => {
    const made = await world();
    const location = anObject('disk1');
    await withVolume(made, { location });

    const byName = await manage(made);
    const byId = await manage(made, { ref: { 'source-id': location.objectId } });

    expect([byName.status, byId.status]).toEqual([400, 400]);
    expect(messageOf(byName)).toMatch(/^Unable to manage existing volume\. Volume disk1 already managed\./);
    expect(messageOf(byId)).toContain(VOLUME_ID);
  });

  it.each([
    ['POST', '/v3/manageable_volumes', 'volume_manage'],
    ['POST', '/v3/os-volume-manage', 'volume_manage'],
    ['GET', `/v3/manageable_volumes?host=x`, 'list_manageable'],
    ['GET', `/v3/os-volume-manage/detail?host=x`, 'list_manageable'],
  ])('is for administrators alone: %s %s', async (method, url, rule) => {
    const made = await world();
    const body = method === 'POST' ? { body: asked() } : {};

    const answer = await made.ask(method, url, { token: MEMBER, version: '3.70', ...body });

    expect(answer.status).toBe(403);
    expect(messageOf(answer)).toBe(`Policy doesn't allow volume_extension:${rule} to be performed.`);
  });

  it('knows the newer name of the resource from its microversion on', async () => {
    const made = await world();

    expect((await manage(made, {}, '3.7')).status).toBe(404);
    expect((await made.ask('GET', `/v3/manageable_volumes?host=${A}`, { version: '3.7' })).status).toBe(404);
    expect((await manage(made, {}, '3.8')).status).toBe(202);
  });
});

describe('a listing of what could be taken over', () => {
  const withOthers = async () => {
    const made = await world();
    const agents = withAgents(made);
    agents.others.set(A, [
      inPool('disk1', { sizeBytes: 3 * GIB + 512 }),
      inPool('disk2', { sizeBytes: 0, unfit: 'it is empty' }),
      inPool('disk3', { sizeBytes: GIB }),
    ]);
    return { made, agents };
  };
  const list = async (made: World, query: string, url = '/v3/project/manageable_volumes/detail') =>
    made.ask('GET', `${url}?host=${encodeURIComponent(A)}${query}`, { version: '3.70' });
  const namesOf = ({ body }: Awaited<ReturnType<typeof list>>): string[] =>
    body['manageable-volumes'].map((one: { reference: Record<string, string> }) => one.reference['source-name']);

  it('tells name, size, and whether it is safe, or why not, and leaves no job behind', async () => {
    const { made } = await withOthers();
    await withVolume(made, { location: anObject('disk3') });

    const { body } = await list(made, '&sort=reference:asc');

    expect(body).toEqual({
      'manageable-volumes': [
        {
          reference: { 'source-name': 'disk1' },
          size: 4,
          safe_to_manage: true,
          reason_not_safe: null,
          cinder_id: null,
          extra_info: `bytes=${3 * GIB + 512}, source-id=id-of-disk1`,
        },
        expect.objectContaining({ size: 0, safe_to_manage: false, reason_not_safe: 'it is empty', cinder_id: null }),
        expect.objectContaining({
          safe_to_manage: false,
          reason_not_safe: `already managed: volume ${VOLUME_ID} lives on it`,
          cinder_id: VOLUME_ID,
        }),
      ],
    });
    expect(await made.store.jobs.ofHost('host-a')).toEqual([]);
  });

  it.each(['/v3/project/manageable_volumes', '/v3/os-volume-manage'])('is short at %s', async (url) => {
    const { made } = await withOthers();

    const { body } = await list(made, '&limit=1', url);

    expect(body['manageable-volumes']).toEqual([
      { reference: { 'source-name': 'disk3' }, size: 1, safe_to_manage: true },
    ]);
  });

  it.each([
    ['the last name first', '', ['disk3', 'disk2', 'disk1']],
    ['its names in order', '&sort=reference:asc', ['disk1', 'disk2', 'disk3']],
    ['the largest first', '&sort=size', ['disk1', 'disk3', 'disk2']],
    ['the older way of asking', '&sort_key=size&sort_dir=asc', ['disk2', 'disk3', 'disk1']],
    ['a page', '&sort=reference:asc&limit=1&offset=1', ['disk2']],
    [
      'what comes after JSON',
      `&sort=reference:asc&marker=${encodeURIComponent(JSON.stringify(REF))}`,
      ['disk2', 'disk3'],
    ],
    ['what comes after Python', "&sort=reference:asc&marker={'source-name':%20'disk2'}", ['disk3']],
    ['what comes after an id', '&sort=reference:asc&marker={"source-id":"id-of-disk2"}', ['disk3']],
    ['what comes after a name', '&sort=reference:asc&marker=disk2', ['disk3']],
  ])('can be asked for %s', async (_what, query, names) => {
    const { made } = await withOthers();

    expect(namesOf(await list(made, query))).toEqual(names);
  });

  it.each([
    ['&sort=name', 'Invalid sort keys passed: name'],
    ['&sort=size:up', 'Invalid sort dirs passed: up'],
    ['&limit=-1', 'limit param must be positive'],
    ['&marker=nobody', 'marker not found: nobody'],
    ['&cluster=c', 'One and only one of cluster and host must be set.'],
  ])('refuses %s', async (query, why) => {
    const { made } = await withOthers();
    const answer = await list(made, query);

    expect(answer.status).toBe(400);
    expect(messageOf(answer)).toContain(why);
  });

  it('asks a pool that holds more than a page for all of it', async () => {
    const { made, agents } = await withOthers();
    agents.pageObjects = 2;

    expect(namesOf(await list(made, ''))).toHaveLength(3);
  });

  it('is refused with the reason when the host does not answer', async () => {
    const { made, agents } = await withOthers();
    agents.frozen.add('host-a');

    const answer = await list(made, '');

    expect(answer.status).toBe(503);
    expect(messageOf(answer)).toContain('its agent has not answered in time');
    expect(await made.store.jobs.ofHost('host-a')).toEqual([]);
    expect(made.clock.nowMs()).toBeGreaterThan(START_MS);
  });
});
