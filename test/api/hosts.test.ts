import { describe, expect, it } from 'vitest';
import { GIB } from '../../domain/volume/volume.ts';
import { aHost, aPoolReport } from '../helpers/factories.ts';
import { createWorld, MEMBER, READER, withHosts, withVolume } from './world.ts';

describe('hosts and pools', () => {
  it('are listed with their backends in our own words', async () => {
    const world = createWorld();
    await withHosts(world);

    const { status, body } = await world.ask('GET', '/v3/hosts');

    expect(status).toBe(200);
    expect(body.hosts.map((host: { id: string; state: string }) => [host.id, host.state])).toEqual([
      ['host-a', 'up'],
      ['host-b', 'up'],
      ['host-c', 'down'],
    ]);
    expect(body.hosts[1]).toEqual({
      id: 'host-b',
      state: 'up',
      version: '0.1.0',
      address: 'host-b:9810',
      heartbeat_at: '2026-01-01T00:00:00.000Z',
      concurrency: 4,
      backends: [
        {
          name: 'files',
          driver: 'file',
          concurrency: null,
          pools: [
            {
              name: 'ssd',
              place: 'host-b@files#ssd',
              state: 'up',
              reason: null,
              total_bytes: 100 * GIB,
              free_bytes: 60 * GIB,
            },
          ],
        },
      ],
    });
  });

  it('go down when the heartbeats stay away', async () => {
    const world = createWorld();
    await withHosts(world);
    world.clock.advanceMs(10_000);

    const { body } = await world.ask('GET', '/v3/hosts');

    expect(new Set(body.hosts.map((host: { state: string }) => host.state))).toEqual(new Set(['down']));
  });

  it('are one volume service for each backend to the standard’s clients', async () => {
    const world = createWorld();
    await withHosts(world);

    const older = await world.ask('GET', '/v3/os-services');
    const newer = await world.ask('GET', '/v3/os-services?host=host-c@files', { version: '3.49' });
    const others = await world.ask('GET', '/v3/os-services?binary=cinder-backup');

    expect(older.body.services).toHaveLength(3);
    expect(older.body.services[0]).toEqual({
      binary: 'cinder-volume',
      host: 'host-a@files',
      zone: 'nova',
      status: 'enabled',
      state: 'up',
      updated_at: '2026-01-01T00:00:00.000000',
      disabled_reason: null,
    });
    expect(newer.body.services).toMatchObject([
      { host: 'host-c@files', state: 'down', cluster: null, backend_state: 'up' },
    ]);
    expect(others.body.services).toEqual([]);
  });

  it('are pools with their capabilities', async () => {
    const world = createWorld();
    const pools = [
      aPoolReport({ freeBytes: 60 * GIB, provisionedBytes: 5 * GIB, maxOverSubscriptionRatio: 20 }),
      aPoolReport({ name: 'off', state: 'offline' }),
    ];
    await world.store.hosts.create(
      aHost('host-a', { backends: [{ name: 'files', driver: 'file', migrationProgressReport: true, pools }] }),
    );

    const short = await world.ask('GET', '/v3/scheduler-stats/get_pools');
    const detailed = await world.ask('GET', '/v3/project/scheduler-stats/get_pools?detail=True');

    expect(short.body).toEqual({ pools: [{ name: 'host-a@files#ssd' }, { name: 'host-a@files#off' }] });
    expect(detailed.body.pools.map((pool: { capabilities: object }) => pool.capabilities)).toMatchObject([
      {
        total_capacity_gb: 100,
        free_capacity_gb: 60,
        allocated_capacity_gb: 5,
        max_over_subscription_ratio: '20.0',
        driver: 'file',
        backend_state: 'up',
        migration_progress_report: true,
      },
      { backend_state: 'down' },
    ]);
  });

  it.each([
    ['/v3/hosts', 'volmove:hosts'],
    ['/v3/os-services', 'volume_extension:services:index'],
    ['/v3/scheduler-stats/get_pools', 'scheduler_extension:scheduler_stats:get_pools'],
  ])('are for administrators alone: %s', async (url, rule) => {
    const { ask } = createWorld();

    const answer = await ask('GET', url, { token: MEMBER });

    expect(answer.body.forbidden.message).toBe(`Policy doesn't allow ${rule} to be performed.`);
  });
});

describe('what clients look into on their way', () => {
  it.each([
    ['/v3/extensions', { extensions: [] }],
    ['/v3/types?is_public=None', { volume_types: [] }],
  ])('is empty: %s', async (url, body) => {
    const { ask } = createWorld();

    expect(await ask('GET', url, { token: READER })).toMatchObject({ status: 200, body });
  });

  it('are limits that do not limit, with what the project uses', async () => {
    const world = createWorld();
    await withVolume(world, { sizeBytes: 3 * GIB });
    await withVolume(world, { id: 'other', projectId: 'elsewhere' });

    const { body } = await world.ask('GET', '/v3/limits', { token: MEMBER });

    expect(body.limits).toMatchObject({
      rate: [],
      absolute: { maxTotalVolumes: -1, totalVolumesUsed: 1, totalGigabytesUsed: 3 },
    });
  });
});
