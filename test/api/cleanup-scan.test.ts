import { describe, expect, it } from 'vitest';
import { NEEDS_YOU_AFTER_TRIES, newCleanup } from '../../domain/cleanup.ts';
import { createdObjectName, runObjectName } from '../../domain/names.ts';
import { START_MS } from '../helpers/clock.ts';
import { aHost, anObject, aPoolReport, MIGRATION_ID, VOLUME_ID } from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { A, aFailedMove, B, busy, entryFailed, LEFT, LIVE, NOWHERE, names, scan } from './cleanup-scene.ts';
import { createWorld, MEMBER, withHosts, withVolume } from './world.ts';

describe('a scan for leftovers', () => {
  it('finds what lies in a pool and nobody refers to, with its size, age and reason, and nothing that is wanted', async () => {
    const world = await aFailedMove();
    withAgents(world, { [A]: [inPool(LIVE)], [B]: [inPool(LEFT)] });

    const body = await scan(world);

    expect(body).toEqual({
      leftovers: [
        {
          object: LEFT,
          host: B,
          id: `id-of-${LEFT}`,
          state: 'leftover',
          why: `made by run 1 of migration ${MIGRATION_ID}; its volume does not refer to it`,
          volume_id: VOLUME_ID,
          migration_id: MIGRATION_ID,
          size_bytes: 4096,
          made_at: '2025-12-31T22:00:00.000Z',
          tries: 0,
          reason: null,
          next_try_at: null,
        },
      ],
      not_asked: [{ host: 'host-c@files#ssd', reason: 'host host-c is down' }],
      unfinished: [],
    });
  });

  it('leaves no job behind on any host', async () => {
    const world = await aFailedMove();
    const agents = withAgents(world);
    agents.frozen.add('host-b');

    await scan(world);

    expect(await world.store.jobs.ofHost('host-a')).toEqual([]);
    expect(await world.store.jobs.ofHost('host-b')).toEqual([]);
  });

  it('lists the removals that are still tried, with tries, reason and the next try', async () => {
    const world = await aFailedMove({ cleanup: [entryFailed(2)] });
    await withVolume(world, {
      id: NOWHERE,
      status: 'deleting',
      location: null,
      cleanup: [newCleanup(anObject(createdObjectName(NOWHERE, 1)), 'volume')],
    });
    withAgents(world, { [B]: [inPool(LEFT)] });

    const body = await scan(world);

    expect(body.leftovers).toMatchObject([
      {
        object: LEFT,
        host: B,
        state: 'pending',
        tries: 2,
        reason: busy.message,
        next_try_at: '2026-01-01T00:01:00.000Z',
        size_bytes: 4096,
        migration_id: MIGRATION_ID,
      },
      { object: createdObjectName(NOWHERE, 1), state: 'pending', why: `volume ${NOWHERE} is deleted`, tries: 0 },
    ]);
  });

  it('calls for a person after some tries', async () => {
    const world = await aFailedMove({ cleanup: [entryFailed(NEEDS_YOU_AFTER_TRIES)] });
    withAgents(world);

    expect((await scan(world)).leftovers).toMatchObject([{ state: 'needs_you' }]);
    expect((await world.ask('GET', `/v3/migrations/${MIGRATION_ID}`)).body.migration).toMatchObject({
      state: 'failed',
      volume_at: A,
      cleanup: {
        state: 'needs_you',
        left: [{ object: LEFT, host: B, role: 'destination', tries: 3, reason: busy.message, needs_you: true }],
      },
    });
  });

  it('marks what is young, and what is of a volume that is not known here, as unknown', async () => {
    const world = await aFailedMove();
    const stranger = createdObjectName(NOWHERE, 1);
    withAgents(world, { [B]: [inPool(LEFT, { madeAtMs: START_MS - 1000 }), inPool(stranger)] });

    const body = await scan(world);

    expect(body.leftovers.map((one: { state: string }) => one.state)).toEqual(['unknown', 'unknown']);
    expect(names(body)).toEqual([LEFT, stranger]);
    expect(body.leftovers[1].why).toContain('another installation');
  });

  it('says which pools could not be asked: host down, pool offline, no answer', async () => {
    const world = createWorld();
    await withHosts(world);
    const backend = { name: 'files', driver: 'file', migrationProgressReport: true };
    const away = aPoolReport({ poolId: 'pool-x', state: 'offline', reason: 'not mounted' });
    await world.store.hosts.create(aHost('host-d', { backends: [{ ...backend, pools: [away] }] }));
    const agents = withAgents(world);
    agents.frozen.add('host-b');

    const body = await scan(world);

    expect(body.not_asked).toEqual([
      { host: 'host-c@files#ssd', reason: 'host host-c is down' },
      { host: 'host-d@files#ssd', reason: 'the pool is offline: not mounted' },
      { host: B, reason: 'its agent has not answered in time' },
    ]);
  });

  it('asks a pool that several hosts serve once, through one that is up', async () => {
    const world = createWorld();
    const backend = { name: 'files', driver: 'file', migrationProgressReport: true };
    const shared = [{ ...backend, pools: [aPoolReport({ poolId: 'shared' })] }];
    await world.store.hosts.create(aHost('host-a', { backends: shared, stoppedAtMs: START_MS }));
    await world.store.hosts.create(aHost('host-b', { backends: shared }));
    await world.store.hosts.create(aHost('host-c', { backends: shared }));
    withAgents(world, { [B]: [inPool(createdObjectName(NOWHERE, 1))], 'host-c@files#ssd': [] });

    const body = await scan(world);

    expect(names(body)).toHaveLength(1);
    expect(body.not_asked).toEqual([]);
    expect(new Set(world.looks)).toEqual(new Set(['host-b']));
  });

  it('is finished by further requests when a pool holds more than a page', async () => {
    const world = await aFailedMove({ run: 3 });
    const agents = withAgents(world, {
      [B]: [1, 2, 3].map((run) => inPool(runObjectName(VOLUME_ID, MIGRATION_ID, run))),
    });
    agents.pageObjects = 2;

    const first = await scan(world);
    const second = await scan(world, { scan: { pools: first.unfinished } });

    expect(first.unfinished).toEqual([{ host: B, after: runObjectName(VOLUME_ID, MIGRATION_ID, 2) }]);
    expect([...names(first), ...names(second)]).toEqual(
      [1, 2, 3].map((n) => runObjectName(VOLUME_ID, MIGRATION_ID, n)),
    );
    expect(second.unfinished).toEqual([]);
  });

  it.each(['/v3/cleanup/scan', '/v3/cleanup/remove'])('is for administrators alone: %s', async (url) => {
    const { ask } = createWorld();

    const { body } = await ask('POST', url, { token: MEMBER, body: {} });

    expect(body.forbidden.message).toBe("Policy doesn't allow volmove:cleanup to be performed.");
  });

  it.each([[{ scan: { pools: [{ host: 'nowhere' }] } }], [{ scan: { everything: true } }], [{}]])(
    'refuses %j',
    async (body) => {
      const { ask } = createWorld();

      expect((await ask('POST', '/v3/cleanup/scan', { body })).status).toBe(400);
    },
  );
});
