import { describe, expect, it } from 'vitest';
import { aVolume, VOLUME_ID } from '../helpers/factories.ts';
import { native, PREFIX, ready, STANDARD_REFUSAL, standard } from './migrate-helpers.ts';
import { createWorld, MEMBER, volumeNow, withHosts, type withVolume } from './world.ts';

describe('a request for a migration is refused', () => {
  it.each<[string, object, string]>([
    [
      'for a host that is unknown',
      { host: 'host-x@files#ssd' },
      "Invalid host: No available service named 'host-x@files#ssd'",
    ],
    [
      'for a host that is down',
      { host: 'host-c@files#ssd' },
      "Invalid host: No available service named 'host-c@files#ssd'",
    ],
    ['for a backend that is unknown', { host: 'host-b@lvm' }, "Invalid host: No available service named 'host-b@lvm'"],
    [
      'for a pool that is unknown',
      { host: 'host-b@files#x' },
      "Invalid host: No available service named 'host-b@files#x'",
    ],
    ['for what is no place', { host: 'host-b' }, "Invalid host: No available service named 'host-b'"],
    [
      'without a host',
      { host: undefined },
      "Invalid input for field/attribute os-migrate_volume. Value: {...}. 'host' is a required property",
    ],
    [
      'for a host that is no text',
      { host: 7 },
      "Invalid input for field/attribute host. Value: 7. 7 is not of type 'string'",
    ],
    [
      'with a key that is unknown',
      { bandwidth: 1, x: 2 },
      "Invalid input for field/attribute os-migrate_volume. Value: {...}. Additional properties are not allowed ('bandwidth', 'x' were unexpected)",
    ],
    [
      'with a cluster, before there were any',
      { cluster: 'c' },
      "Invalid input for field/attribute os-migrate_volume. Value: {...}. Additional properties are not allowed ('cluster' was unexpected)",
    ],
  ])('%s', async (_, more, message) => {
    const world = await ready();

    const answer = await standard(world, more);

    expect(answer.body).toEqual({ badRequest: { code: 400, message } });
    expect(await world.store.migrations.all()).toEqual([]);
    expect(await volumeNow(world, aVolume())).toEqual(aVolume());
  });

  it('with a flag that is none', async () => {
    const world = await ready();

    const answer = await standard(world, { lock_volume: 'maybe' });

    expect(answer.body.badRequest.message).toMatch(
      /^Invalid input for field\/attribute lock_volume\. Value: maybe\. 'maybe' is not one of \[True, 'True', /,
    );
  });

  it.each([
    ['both', { cluster: 'c' }, 'Invalid input received: One and only one of cluster and host must be set.'],
    ['neither', { host: null }, 'Invalid input received: One and only one of cluster and host must be set.'],
    ['a cluster', { host: null, cluster: 'c' }, "Invalid host: No available service named 'c'"],
  ])('from microversion 3.16 on with %s of host and cluster', async (_, more, message) => {
    const world = await ready();

    const answer = await standard(world, more, '3.16');

    expect(answer.body.badRequest.message).toBe(message);
  });

  it.each<[string, Parameters<typeof withVolume>[1], object, string]>([
    ['when it is there already', {}, { host: 'host-a@files#ssd' }, '(it is there already: host-a@files#ssd)'],
    [
      'when it is attached',
      { status: 'in-use' },
      {},
      '(it is in-use; only an available volume is moved: detach it first)',
    ],
    [
      'when it is reserved',
      { status: 'attaching' },
      {},
      '(it is attaching; only an available volume is moved: detach it first)',
    ],
    [
      'when a host still has a connection',
      { connections: [{ id: 'c', host: 'h', atMs: 0 }] },
      {},
      '(a host still has a connection to it: terminate the connection first)',
    ],
    [
      'when it was never made',
      { status: 'error', location: null },
      {},
      '(it is error; only an available volume is moved: detach it first)',
    ],
  ])('%s, with our reason behind the standard’s sentence', async (_, change, more, why) => {
    const world = await ready(createWorld(), change);

    const answer = await standard(world, more);

    expect(answer.body.badRequest.message).toBe(`Invalid volume: Volume ${VOLUME_ID} ${STANDARD_REFUSAL} ${why}`);
    expect(await volumeNow(world, aVolume())).toEqual(aVolume(change));
    expect(world.started).toEqual([]);
  });

  it('when the pool has too little space, before anything is written', async () => {
    const world = createWorld();
    await ready(world, { sizeBytes: 61 * 1024 ** 3 });

    const answer = await native(world);

    expect(answer.body.badRequest).toMatchObject({ error_code: 'CapacityShort' });
    expect(answer.body.badRequest.message).toMatch(
      /^Your migration request failed .* Not enough space in host-b@files#ssd/,
    );
    expect(await world.store.migrations.all()).toEqual([]);
  });

  it('of an unknown volume, by both ways', async () => {
    const world = createWorld();
    await withHosts(world);

    const [one, other] = [await standard(world), await native(world)];

    expect(one.body.itemNotFound.message).toBe(`Volume ${VOLUME_ID} could not be found.`);
    expect(other.body.itemNotFound).toMatchObject({
      message: `${PREFIX}Volume ${VOLUME_ID} could not be found.`,
      error_code: 'VolumeNotFound',
    });
  });

  it('by policy, for everybody who is no administrator', async () => {
    const world = await ready();

    const answer = await world.ask('POST', '/v3/migrations', { token: MEMBER, body: {} });

    expect(answer.body.forbidden).toMatchObject({
      code: 403,
      message: "Policy doesn't allow volmove:migrations to be performed.",
      error_code: 'Forbidden',
    });
  });

  it.each([
    ['an unknown key', { colour: 'red' }, "Additional properties are not allowed ('colour' was unexpected)"],
    ['an unknown proof', { verify: 'half' }, "'half' is not one of ['full', 'none']"],
    ['a negative retention', { source_retention_seconds: -1 }, '-1 is less than the minimum of 0'],
    ['a bandwidth of nothing', { bandwidth_bytes_per_second: 0 }, '0 is less than the minimum of 1'],
    ['a flag that is text', { lock: 'True' }, "'True' is not of type 'boolean'"],
  ])('with %s', async (_, more, why) => {
    const world = await ready();

    const answer = await native(world, more);

    expect(answer.body.badRequest.message).toMatch(
      /^Your migration request failed to process due to: Invalid input for /,
    );
    expect(answer.body.badRequest.message).toContain(why);
    expect(answer.body.badRequest.error_code).toBe('InvalidRequest');
  });

  it('with a key that is too long', async () => {
    const world = await ready();

    const answer = await native(world, {}, { 'idempotency-key': 'k'.repeat(256) });

    expect(answer.status).toBe(400);
  });
});
