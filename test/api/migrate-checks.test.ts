import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../domain/job/job.ts';
import { aHost, aPoolReport, aVolume, DESTINATION, SOURCE, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { withAgents } from './cleanup-agents.ts';
import { native, ready, standard, TO_B } from './migrate-helpers.ts';
import { createWorld, volumeNow, type World, withHosts, withVolume } from './world.ts';

describe('a destination without a pool', () => {
  it('means the online pool of that backend with the most free space', async () => {
    const world = createWorld();
    await withHosts(world);
    await withVolume(world, { location: { ...SOURCE_OBJECT, ...DESTINATION } });

    await standard(world, { host: 'host-a@files' });

    expect((await volumeNow(world, aVolume())).claim?.destination).toEqual(SOURCE);
  });

  it('never means a pool that is offline', async () => {
    const world = createWorld();
    const pools = [
      aPoolReport({ name: 'big', state: 'offline', reason: 'not mounted' }),
      aPoolReport({ name: 'small', freeBytes: 2 * 1024 ** 3 }),
    ];
    const backend = { name: 'files', driver: 'file', migrationProgressReport: true, pools };
    await world.store.hosts.create(aHost('host-b', { backends: [backend] }));
    await withVolume(world);

    const answer = await native(world, { destination: 'host-b@files' });
    const offline = await native(world, { destination: 'host-b@files#big', dry_run: true });

    expect(answer.body.migration.destination).toBe('host-b@files#small');
    expect(offline.body.checks).toContainEqual({
      name: 'destination_pool',
      ok: false,
      message: 'The backend host-b@files#big is offline: not mounted',
      remedy: 'Bring it back (mount the share, start the service); nothing is lost meanwhile.',
    });
  });
});

describe('a dry run', () => {
  const checksOf = async (world: World, destination = TO_B, change: Partial<ReturnType<typeof withAgents>> = {}) => {
    Object.assign(withAgents(world), change);
    return (await native(world, { destination, dry_run: true })).body.checks as {
      name: string;
      ok: boolean;
      message: string;
    }[];
  };
  const failed = (checks: { name: string; ok: boolean }[]): string[] =>
    checks.filter((check) => !check.ok).map((check) => check.name);

  it('tells every check apart and changes nothing', async () => {
    const world = await ready();

    const checks = await checksOf(world);

    expect(checks.map((check) => check.name)).toEqual([
      'volume_exists',
      'volume_free',
      'source_host',
      'destination_host',
      'destination_pool',
      'other_place',
      'capacity',
      'last_outcome',
      'source_object',
      'way',
    ]);
    expect(failed(checks)).toEqual([]);
    expect(await world.store.migrations.all()).toEqual([]);
    expect(await volumeNow(world, aVolume())).toEqual(aVolume());
  });

  it('says how it would be moved, and why it is not by the backend', async () => {
    const world = await ready();
    const pools = [
      aPoolReport({ name: 'ssd', poolId: 'one', systemId: 'ceph:fsid' }),
      aPoolReport({ name: 'hdd', poolId: 'two', systemId: 'ceph:fsid' }),
    ];
    const backend = {
      name: 'files',
      driver: 'rbd',
      migrationProgressReport: true,
      attachDuringMove: 'forbidden',
    } as const;
    await world.store.hosts.apply(['host-a'], (host) => ({
      kind: 'write',
      next: { ...host, backends: [{ ...backend, pools }] },
    }));

    const wayTo = async (destination: string, change?: Partial<ReturnType<typeof withAgents>>) =>
      (await checksOf(world, destination, change)).find(({ name }) => name === 'way')?.message;
    const says = (check: CheckResult) => wayTo('host-a@files#hdd', { check });

    expect(await wayTo(TO_B)).toBe('It is copied: source and destination are not pools of one storage system.');
    expect(await says({ way: 'backend' })).toBe('Its backend moves it by itself.');
    expect(await says({ way: 'copy', why: 'it has a watcher', readback: 'direct' })).toBe(
      'It is copied: its backend does not move it (it has a watcher).',
    );
    expect(await wayTo('host-a@files#hdd', { frozen: new Set(['host-a']) })).toBe(
      'Its backend moves it by itself, unless that says no then: in that case it is copied.',
    );
  });

  it.each<[string, Parameters<typeof withVolume>[1], string, string[]]>([
    ['the volume is attached', { status: 'in-use' }, TO_B, ['volume_free']],
    ['it is there already', {}, 'host-a@files#ssd', ['other_place']],
    ['the pool is too small', { sizeBytes: 61 * 1024 ** 3 }, TO_B, ['capacity']],
    ['the host is down', {}, 'host-c@files#ssd', ['destination_host', 'destination_pool', 'other_place', 'capacity']],
    ['the pool is unknown', {}, 'host-b@files#x', ['destination_pool', 'other_place', 'capacity']],
    ['its own host is down', { location: { ...SOURCE_OBJECT, hostId: 'host-c' } }, TO_B, ['source_host']],
  ])('finds that %s', async (_, change, destination, names) => {
    const world = await ready(createWorld(), change);

    expect(failed(await checksOf(world, destination))).toEqual(names);
  });

  it('hears from the source’s agent what would be in the way, and leaves no job behind', async () => {
    const world = await ready();
    const { objectName } = SOURCE_OBJECT;

    const checks = await checksOf(world, TO_B, { busy: new Set([objectName]) });

    expect(checks).toContainEqual({
      name: 'source_object',
      ok: false,
      message: expect.stringContaining('it is open'),
      remedy: expect.stringMatching(/\w/),
    });
    expect(await world.store.jobs.ofHost('host-a')).toEqual([]);
  });

  it('does not wait for an agent for ever, and says that it has not answered', async () => {
    const world = await ready();

    const checks = await checksOf(world, TO_B, { frozen: new Set(['host-a']) });

    expect(failed(checks)).toEqual(['source_object']);
    expect(checks).toContainEqual(expect.objectContaining({ remedy: expect.stringContaining('agent') }));
    expect(await world.store.jobs.ofHost('host-a')).toEqual([]);
  });

  it('says how much space there is as people read it', async () => {
    const messageOf = async (change: Parameters<typeof withVolume>[1]) =>
      (await checksOf(await ready(createWorld(), change))).find(({ name }) => name === 'capacity')?.message;

    expect(await messageOf({})).toBe('60.0 GiB are free, 1.0 GiB are needed.');
    expect(await messageOf({ sizeBytes: 61 * 1024 ** 3 })).toBe(
      'Not enough space in host-b@files#ssd: 61.0 GiB are needed, 60.0 GiB are free and not reserved.',
    );
  });

  it('finds that there is no such volume', async () => {
    const world = createWorld();
    await withHosts(world);

    const checks = await checksOf(world);

    expect(checks[0]).toEqual({
      name: 'volume_exists',
      ok: false,
      message: `Volume ${VOLUME_ID} could not be found.`,
      remedy: 'List the volumes: volmove volumes.',
    });
    expect(failed(checks)).not.toContain('destination_host');
  });
});
