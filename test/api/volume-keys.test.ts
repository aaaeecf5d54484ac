import { describe, expect, it } from 'vitest';
import { aVolume, VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, MEMBER, STRANGER, volumeNow, withHosts, withVolume } from './world.ts';

const KEYS = [
  'attachments',
  'availability_zone',
  'bootable',
  'consistencygroup_id',
  'created_at',
  'description',
  'encrypted',
  'id',
  'links',
  'metadata',
  'multiattach',
  'name',
  'replication_status',
  'size',
  'snapshot_id',
  'source_volid',
  'status',
  'updated_at',
  'user_id',
  'volume_type',
];
const ADMIN_DETAIL = [
  'migration_status',
  'os-vol-host-attr:host',
  'os-vol-mig-status-attr:migstat',
  'os-vol-mig-status-attr:name_id',
  'os-vol-tenant-attr:tenant_id',
];

const sorted = (keys: string[]): string[] => [...keys].sort();

describe('the keys of a volume', () => {
  it('are those of the standard, for an administrator', async () => {
    const world = createWorld();
    await withVolume(world, { migrationStatus: 'success' });

    const { body } = await world.ask('GET', `/v3/project/volumes/${VOLUME_ID}`);

    expect(Object.keys(body.volume).sort()).toEqual(sorted([...KEYS, ...ADMIN_DETAIL]));
    expect(body.volume).toMatchObject({
      status: 'available',
      size: 1,
      migration_status: 'success',
      'os-vol-mig-status-attr:migstat': 'success',
      'os-vol-host-attr:host': 'host-a@files#ssd',
      'os-vol-tenant-attr:tenant_id': 'project',
      created_at: '2026-01-01T00:00:00.000000',
      bootable: 'false',
    });
    expect(body.volume.links[0]).toEqual({
      rel: 'self',
      href: `http://volmove.test:8776/v3/project/volumes/${VOLUME_ID}`,
    });
  });

  it('tell a member nothing of hosts and migrations', async () => {
    const world = createWorld();
    await withVolume(world, { migrationStatus: 'migrating' });

    const { body } = await world.ask('GET', `/v3/volumes/${VOLUME_ID}`, { token: MEMBER });

    expect(Object.keys(body.volume).sort()).toEqual(sorted([...KEYS, 'os-vol-tenant-attr:tenant_id']));
  });

  it.each([
    ['3.13', ['group_id']],
    ['3.21', ['group_id', 'provider_id']],
    ['3.48', ['group_id', 'provider_id', 'service_uuid', 'shared_targets']],
    [
      '3.71',
      ['group_id', 'provider_id', 'service_uuid', 'shared_targets', 'cluster_name', 'volume_type_id', 'consumes_quota'],
    ],
  ])('grow with the microversion: %s', async (version, more) => {
    const world = createWorld();
    await withVolume(world);

    const { body } = await world.ask('GET', `/v3/volumes/${VOLUME_ID}`, { version });

    expect(Object.keys(body.volume).sort()).toEqual(sorted([...KEYS, ...ADMIN_DETAIL, ...more]));
  });

  it('leave out everything of the extensions in the answers of create and update', async () => {
    const world = createWorld();
    await withHosts(world);

    const created = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1 } } });
    const updated = await world.ask('PUT', `/v3/volumes/${created.body.volume.id}`, {
      body: { volume: { name: 'n' } },
    });

    for (const { body } of [created, updated])
      expect(Object.keys(body.volume).sort()).toEqual(sorted([...KEYS, 'migration_status']));
  });

  it('tell the host of an attachment to administrators alone', async () => {
    const world = createWorld();
    const attachment = {
      id: 'at',
      instanceId: 'i',
      hostName: 'h',
      mountpoint: '/dev/vdb',
      mode: 'rw',
      atMs: 0,
    } as const;
    await withVolume(world, { status: 'in-use', attachments: [attachment] });

    const [admin, member] = await Promise.all(
      ['root:project', MEMBER].map((token) => world.ask('GET', `/v3/volumes/${VOLUME_ID}`, { token })),
    );

    expect(admin?.body.volume.attachments).toEqual([
      {
        id: VOLUME_ID,
        attachment_id: 'at',
        volume_id: VOLUME_ID,
        server_id: 'i',
        host_name: 'h',
        device: '/dev/vdb',
        attached_at: '1970-01-01T00:00:00.000000',
      },
    ]);
    expect(member?.body.volume.attachments[0].host_name).toBeNull();
  });
});

describe('a volume of another project', () => {
  it.each([
    ['GET', '', undefined],
    ['PUT', '', { volume: { name: 'mine' } }],
    ['DELETE', '', undefined],
    ['POST', '/action', { 'os-reserve': null }],
  ])('is not there for %s %s', async (method, path, body) => {
    const world = createWorld();
    await withVolume(world);

    const answer = await world.ask(method, `/v3/volumes/${VOLUME_ID}${path}`, { token: STRANGER, body });

    expect(answer.body).toEqual({
      itemNotFound: { code: 404, message: `Volume ${VOLUME_ID} could not be found.` },
    });
    expect(await volumeNow(world, aVolume())).toEqual(aVolume());
  });

  it('is there for an administrator', async () => {
    const world = createWorld();
    await withVolume(world);

    const answer = await world.ask('GET', `/v3/volumes/${VOLUME_ID}`, { token: 'root:elsewhere' });

    expect(answer.status).toBe(200);
  });
});
