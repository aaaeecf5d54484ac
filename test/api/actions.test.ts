import { describe, expect, it } from 'vitest';
import type { Volume } from '../../domain/volume/volume.ts';
import { aVolume, DESTINATION, MIGRATION_ID, OPTIONS, SOURCE, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, MEMBER, READER, volumeNow, withHosts, withVolume } from './world.ts';

const attachment = { id: 'at', instanceId: 'i', hostName: null, mountpoint: '/dev/vdb', mode: 'rw', atMs: 0 } as const;
const connection = { id: 'guest', host: 'guest', atMs: 0 };

const claimed = (lock: boolean): Partial<Volume> => ({
  status: lock ? 'maintenance' : 'available',
  migrationStatus: 'migrating',
  fence: 1,
  claim: {
    migrationId: MIGRATION_ID,
    run: 1,
    fence: 1,
    lock,
    phase: 'moving',
    destination: DESTINATION,
    options: { ...OPTIONS, lock },
    previousStatus: 'available',
    rollback: null,
    claimedAtMs: 0,
  },
});

describe('an action', () => {
  it.each<[string, object, Partial<Volume>, Partial<Volume>]>([
    ['os-reserve', { 'os-reserve': null }, {}, { status: 'attaching', fence: 1, writeEpoch: 1 }],
    ['os-reserve with an object', { 'os-reserve': {} }, {}, { status: 'attaching' }],
    ['os-unreserve', { 'os-unreserve': null }, { status: 'attaching' }, { status: 'available', writeEpoch: 1 }],
    [
      'os-attach to an instance',
      { 'os-attach': { mountpoint: '/dev/vdb', instance_uuid: 'i', mode: 'ro' } },
      { status: 'attaching' },
      { status: 'in-use', attachments: [expect.objectContaining({ instanceId: 'i', mode: 'ro', hostName: null })] },
    ],
    [
      'os-attach to a host',
      { 'os-attach': { mountpoint: '/mnt', host_name: 'h', instance_uuid: null } },
      { status: 'attaching' },
      { status: 'in-use', attachments: [expect.objectContaining({ hostName: 'h', mode: 'rw', mountpoint: '/mnt' })] },
    ],
    [
      'os-begin_detaching',
      { 'os-begin_detaching': null },
      { status: 'in-use', attachments: [attachment] },
      { status: 'detaching' },
    ],
    [
      'os-roll_detaching',
      { 'os-roll_detaching': null },
      { status: 'detaching', attachments: [attachment] },
      { status: 'in-use' },
    ],
    [
      'os-detach of all',
      { 'os-detach': null },
      { status: 'detaching', attachments: [attachment], connections: [connection] },
      { status: 'available', attachments: [], connections: [] },
    ],
    [
      'os-detach of one',
      { 'os-detach': { attachment_id: 'at' } },
      { status: 'in-use', attachments: [attachment, { ...attachment, id: 'other' }] },
      { status: 'in-use', attachments: [{ ...attachment, id: 'other' }] },
    ],
    [
      'os-terminate_connection of a host',
      { 'os-terminate_connection': { connector: { host: 'guest', initiator: 'iqn' } } },
      { status: 'in-use', connections: [connection, { ...connection, id: 'b', host: 'b' }] },
      { connections: [{ ...connection, id: 'b', host: 'b' }] },
    ],
    [
      'os-terminate_connection of all',
      { 'os-terminate_connection': null },
      { status: 'in-use', connections: [connection] },
      { connections: [] },
    ],
  ])('%s is accepted with an empty answer', async (_, body, before, after) => {
    const world = createWorld();
    const volume = await withVolume(world, before);

    const answer = await world.act(VOLUME_ID, body, { token: MEMBER });

    expect(answer).toMatchObject({ status: 202, body: undefined });
    expect(await volumeNow(world, volume)).toMatchObject(after);
  });

  it('os-initialize_connection answers where the volume is by the write that lets the guest in', async () => {
    const world = createWorld();
    const volume = await withVolume(world, { status: 'attaching' });

    const answer = await world.act(VOLUME_ID, {
      'os-initialize_connection': { connector: { host: 'guest', ip: '::1' } },
    });

    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body.connection_info).toEqual({
      driver_volume_type: 'local',
      data: {
        device_path: null,
        host: SOURCE.hostId,
        backend: SOURCE.backend,
        pool: SOURCE.pool,
        object_name: SOURCE_OBJECT.objectName,
        object_id: SOURCE_OBJECT.objectId,
        access_mode: 'rw',
        discard: true,
      },
    });
    expect((await volumeNow(world, volume)).connections).toMatchObject([{ host: 'guest' }]);
  });

  it('os-initialize_connection of the same host again answers the same and adds nothing', async () => {
    const world = createWorld();
    const volume = await withVolume(world, { status: 'attaching' });
    const body = { 'os-initialize_connection': { connector: { host: 'guest' } } };

    const first = await world.act(VOLUME_ID, body);
    const second = await world.act(VOLUME_ID, body);

    expect(second.body).toEqual(first.body);
    expect((await volumeNow(world, volume)).connections).toHaveLength(1);
  });

  it('os-reserve wins at once over a migration without a lock', async () => {
    const world = createWorld();
    const volume = await withVolume(world, claimed(false));

    const answer = await world.act(VOLUME_ID, { 'os-reserve': null });

    expect(answer.status).toBe(202);
    expect(await volumeNow(world, volume)).toMatchObject({
      status: 'attaching',
      claim: null,
      migrationStatus: 'error',
      lastOutcome: { migrationId: MIGRATION_ID, result: 'error', reason: { code: 'AbortedByAttach' } },
    });
  });
});

describe('a refusal of an action', () => {
  it.each<[string, Partial<Volume>, object, string]>([
    ['an unknown action', {}, { 'os-dance': null }, 'There is no such action: os-dance'],
    [
      'two actions at once',
      {},
      { 'os-reserve': null, 'os-attach': {} },
      'There is no such action: os-reserve, os-attach',
    ],
    ['an action of the prototype', {}, { constructor: null }, 'There is no such action: constructor'],
    ['no action', {}, {}, 'Malformed request body: it names no action'],
    [
      'os-reserve of a locked volume',
      claimed(true),
      { 'os-reserve': null },
      'Invalid volume: Volume status must be available to reserve, but the status is maintenance.',
    ],
    [
      'os-attach of a locked volume',
      claimed(true),
      { 'os-attach': { mountpoint: '/', host_name: 'h' } },
      'Invalid volume: The volume cannot be attached in maintenance mode.',
    ],
    [
      'os-begin_detaching of an available volume',
      {},
      { 'os-begin_detaching': null },
      'Invalid volume: Volume status must be in-use to detach, but the status is available.',
    ],
    [
      'os-attach to nobody',
      {},
      { 'os-attach': { mountpoint: '/dev/vdb' } },
      'Invalid request to attach volume to an invalid target',
    ],
    [
      'os-attach in an unknown mode',
      {},
      { 'os-attach': { mountpoint: '/dev/vdb', host_name: 'h', mode: 'wo' } },
      "Invalid request to attach volume with an invalid mode. Attaching mode should be 'rw' or 'ro'",
    ],
    [
      'os-attach without its body',
      {},
      { 'os-attach': null },
      "Invalid input for field/attribute os-attach. Value: None. None is not of type 'object'",
    ],
    [
      'os-attach without a mountpoint',
      {},
      { 'os-attach': { host_name: 'h' } },
      "Invalid input for field/attribute os-attach. Value: {...}. 'mountpoint' is a required property",
    ],
    [
      'os-initialize_connection without a connector',
      {},
      { 'os-initialize_connection': {} },
      "Invalid input for field/attribute os-initialize_connection. Value: {...}. 'connector' is a required property",
    ],
    [
      'os-initialize_connection of a volume that nobody reserved',
      {},
      { 'os-initialize_connection': { connector: {} } },
      'Invalid volume: Volume status must be attaching, reserved or in-use to connect, but the status is available.',
    ],
    [
      'os-reset_status of nothing',
      {},
      { 'os-reset_status': { status: null } },
      "Must specify 'status', 'attach_status' or 'migration_status' for update.",
    ],
    [
      'os-reset_status to an unknown migration status',
      {},
      { 'os-reset_status': { migration_status: 'odd' } },
      "Volume migration status: odd is invalid, valid statuses are: ('starting', 'migrating', 'completing', 'success', 'error', 'none').",
    ],
    [
      'os-reset_status to an unknown attach status',
      {},
      { 'os-reset_status': { attach_status: 'half' } },
      "Volume attach status: half is invalid, valid statuses are: ('attached', 'detached').",
    ],
    [
      'os-reset_status to in-use without an attachment',
      {},
      { 'os-reset_status': { status: 'in-use' } },
      `Invalid volume: Volume ${VOLUME_ID} has no attachment, so it cannot be in-use`,
    ],
  ])('%s says why and changes nothing', async (_, before, body, message) => {
    const world = createWorld();
    const volume = await withVolume(world, before);

    const answer = await world.act(VOLUME_ID, body);

    expect(answer.body).toEqual({ badRequest: { code: 400, message } });
    expect(await volumeNow(world, volume)).toEqual(volume);
  });

  it('os-reset_status to deleting is refused: only a delete may', async () => {
    const world = createWorld();
    const volume = await withVolume(world);

    const answer = await world.act(VOLUME_ID, { 'os-reset_status': { status: 'deleting' } });

    expect(answer.body.badRequest.message).toMatch(/^Volume status: deleting is invalid, valid statuses are: /);
    expect(await volumeNow(world, volume)).toEqual(volume);
  });

  it.each([
    [MEMBER, { 'os-reset_status': { status: 'error' } }, 'volume_extension:volume_admin_actions:reset_status'],
    [
      MEMBER,
      { 'os-migrate_volume': { host: 'host-b@files#ssd' } },
      'volume_extension:volume_admin_actions:migrate_volume',
    ],
    [READER, { 'os-reserve': null }, 'volume_extension:volume_actions:reserve'],
  ])('by policy names the rule: %s', async (token, body, rule) => {
    const world = createWorld();
    await withHosts(world);
    await withVolume(world);

    const answer = await world.act(VOLUME_ID, body, { token });

    expect(answer.body).toEqual({
      forbidden: { code: 403, message: `Policy doesn't allow ${rule} to be performed.` },
    });
  });

  it('of an unknown volume comes before the policy', async () => {
    const world = createWorld();

    const answer = await world.act('nobody', { 'os-migrate_volume': { host: 'x' } }, { token: MEMBER });

    expect(answer.body.itemNotFound.message).toBe('Volume nobody could not be found.');
  });
});

describe('os-reset_status', () => {
  it('sets what is asked, in any case, and clears the migration status by none', async () => {
    const world = createWorld();
    const volume = await withVolume(world, { status: 'error', migrationStatus: 'error' });

    const answer = await world.act(VOLUME_ID, { 'os-reset_status': { status: 'Available', migration_status: 'none' } });

    expect(answer.status).toBe(202);
    expect(await volumeNow(world, volume)).toMatchObject({ status: 'available', migrationStatus: null });
  });

  it('ends a migration in the same write', async () => {
    const world = createWorld();
    const volume = await withVolume(world, claimed(true));

    await world.act(VOLUME_ID, { 'os-reset_status': { status: 'available' } });

    expect(await volumeNow(world, volume)).toMatchObject({
      status: 'available',
      claim: null,
      lastOutcome: { result: 'error', reason: { code: 'AbortedByReset' } },
    });
  });

  it('takes nothing away from a volume of which it changes nothing', async () => {
    const world = createWorld();
    await withVolume(world);

    await world.act(VOLUME_ID, { 'os-reset_status': { status: 'available' } });

    expect(await volumeNow(world, aVolume())).toEqual(aVolume());
  });
});
