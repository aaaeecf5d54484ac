import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../domain/error-catalogue.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { aVolume, VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, MEMBER, volumeNow, withHosts, withVolume } from './world.ts';

describe('creating a volume', () => {
  it('writes it down, then starts the execution that makes it', async () => {
    const world = createWorld();
    await withHosts(world);
    const volume = {
      size: 3,
      consistencygroup_id: null,
      snapshot_id: null,
      name: 'n',
      description: null,
      volume_type: null,
      availability_zone: null,
      metadata: { a: 'b' },
      imageRef: null,
      source_volid: null,
      backup_id: null,
    };

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume }, token: MEMBER });

    expect(answer.status).toBe(202);
    const { id } = answer.body.volume;
    expect(answer.body.volume).toMatchObject({ status: 'creating', size: 3, name: 'n', metadata: { a: 'b' } });
    expect(await world.store.volumes.get(id)).toMatchObject({
      userId: 'ann',
      projectId: 'project',
      sizeBytes: 3 * GIB,
      location: null,
      placement: { hostId: 'host-b', backend: 'files', pool: 'ssd' },
    });
    expect(world.started).toEqual([{ machine: 'volume-job', name: `${id}-1`, input: { volumeId: id, operation: 1 } }]);
  });

  it.each([
    ['beside the volume', { volume: { size: 1 }, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: 'host-a@files#hdd' } }],
    ['in the volume', { volume: { size: 1, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: 'host-a@files#hdd' } } }],
  ])('takes the pool from the hint %s', async (_, body) => {
    const world = createWorld();
    await withHosts(world);

    const answer = await world.ask('POST', '/v3/volumes', { body });

    expect(await world.store.volumes.get(answer.body.volume.id)).toMatchObject({
      placement: { hostId: 'host-a', pool: 'hdd' },
    });
  });

  it('takes the older names and a size that is text', async () => {
    const world = createWorld();
    await withHosts(world);

    const body = { volume: { size: '2', display_name: ' n ', display_description: 'two\nlines' } };
    const answer = await world.ask('POST', '/v3/volumes', { body });

    expect(answer.body.volume).toMatchObject({ size: 2, name: 'n', description: 'two\nlines' });
  });

  it.each<[string, object, string, ErrorCode?]>([
    ['no volume', {}, "'volume' is a required property"],
    [
      'no size',
      { volume: {} },
      "Invalid input for field/attribute volume. Value: {...}. 'size' is a required property",
    ],
    [
      'size 0',
      { volume: { size: 0 } },
      'Invalid input for field/attribute size. Value: 0. 0 is less than the minimum of 1',
    ],
    [
      'a fraction',
      { volume: { size: 1.5 } },
      "Invalid input for field/attribute size. Value: 1.5. 1.5 is not of type 'integer'",
    ],
    [
      'a word for a size',
      { volume: { size: 'big' } },
      "Invalid input for field/attribute size. Value: big. 'big' is not of type 'integer', 'string'",
    ],
    [
      'too large a size',
      { volume: { size: 65_537 } },
      'Invalid input for field/attribute size. Value: 65537. 65537 is greater than the maximum of 65536',
    ],
    [
      'a name that is no text',
      { volume: { size: 1, name: {} } },
      "Invalid input for field/attribute name. Value: {...}. {...} is not of type 'string'",
    ],
    [
      'a name too long',
      { volume: { size: 1, name: 'n'.repeat(256) } },
      `Invalid input for field/attribute name. Value: ${'n'.repeat(255)}. '${'n'.repeat(255)}' is too long`,
    ],
    [
      'control characters',
      { volume: { size: 1, name: 'a\u001b[2J' } },
      "Invalid input for field/attribute name. Value: a\u001b[2J. 'a\u001b[2J' contains control characters",
    ],
    [
      'a snapshot',
      { volume: { size: 1, snapshot_id: 's' } },
      'Invalid input received: snapshot_id: only empty volumes are made.',
    ],
    [
      'multiattach',
      { volume: { size: 1, multiattach: true } },
      'Invalid input received: multiattach volumes are not made.',
    ],
    [
      'a zone',
      { volume: { size: 1, availability_zone: 'z' } },
      "Invalid input received: Availability zone 'z' is invalid.",
    ],
    [
      'an unknown pool',
      { volume: { size: 1 }, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: 'host-a@files#no' } },
      "Invalid host: No available service named 'host-a@files#no'",
      'HostUnavailable',
    ],
    [
      'a pool that is too small',
      { volume: { size: 30 }, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: 'host-a@files#hdd' } },
      'Not enough space in host-a@files#hdd: 30.0 GiB are needed, 20.0 GiB are free and not reserved.',
      'CapacityShort',
    ],
    ['more than any pool has', { volume: { size: 61 } }, 'No pool has 61 GiB free on a host that is up.', 'NoPool'],
  ])('refuses %s and changes nothing', async (_, body, message, code = 'InvalidRequest') => {
    const world = createWorld();
    await withHosts(world);

    const answer = await world.ask('POST', '/v3/volumes', { body });

    expect(answer.body).toEqual({ badRequest: { code: 400, message } });
    expect(answer.headers['x-volmove-error-code']).toBe(code);
    expect(await world.store.volumes.all()).toEqual([]);
    expect(world.started).toEqual([]);
  });

  it('does not know any volume type', async () => {
    const world = createWorld();
    await withHosts(world);

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1, volume_type: 'gold' } } });

    expect(answer.status).toBe(404);
  });

  it('counts on no space that a migration has reserved', async () => {
    const world = createWorld();
    await withHosts(world);
    await world.store.pools.create({
      id: 'pool-b',
      totalBytes: 100 * GIB,
      freeBytes: 60 * GIB,
      reservedBytes: 30 * GIB,
      leftBytes: 30 * GIB,
      reservations: { m: 30 * GIB },
      reportedAtMs: 0,
    });

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 40 } } });

    expect(await world.store.volumes.get(answer.body.volume.id)).toMatchObject({ placement: { hostId: 'host-a' } });
  });
});

describe('updating and deleting a volume', () => {
  it('changes name, description and metadata, and nothing else', async () => {
    const world = createWorld();
    const before = await withVolume(world);

    const answer = await world.ask('PUT', `/v3/volumes/${VOLUME_ID}`, {
      body: { volume: { display_name: 'new', description: 'd', metadata: { k: 'v' }, size: 7 } },
    });

    expect(answer.status).toBe(200);
    expect(await volumeNow(world, before)).toEqual({ ...before, name: 'new', description: 'd', metadata: { k: 'v' } });
  });

  it('gives everything up, then starts the execution that removes it', async () => {
    const world = createWorld();
    await withVolume(world);

    const answer = await world.ask('DELETE', `/v3/volumes/${VOLUME_ID}`);

    expect(answer).toMatchObject({ status: 202, body: undefined });
    expect(await volumeNow(world, aVolume())).toMatchObject({ status: 'deleting', location: null, operation: 2 });
    expect(world.started).toEqual([
      { machine: 'volume-job', name: `${VOLUME_ID}-2`, input: { volumeId: VOLUME_ID, operation: 2 } },
    ]);
  });

  it('may be repeated', async () => {
    const world = createWorld();
    await withVolume(world);

    await world.ask('DELETE', `/v3/volumes/${VOLUME_ID}`);
    const again = await world.ask('DELETE', `/v3/volumes/${VOLUME_ID}`);

    expect(again.status).toBe(202);
    expect(world.started).toHaveLength(1);
  });

  it('is refused while the volume is attached', async () => {
    const world = createWorld();
    await withVolume(world, { status: 'in-use' });

    const answer = await world.ask('DELETE', `/v3/volumes/${VOLUME_ID}`);

    expect(answer.status).toBe(400);
    expect(answer.body.badRequest.message).toMatch(/^Invalid volume: Volume status must be available or error or /);
  });

  it.each(['GET', 'DELETE'])('answers %s of an unknown volume with 404', async (method) => {
    const { ask } = createWorld();

    const answer = await ask(method, `/v3/volumes/${'x'.repeat(3000)}`);

    expect(answer.status).toBe(404);
  });
});
