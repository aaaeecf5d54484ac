import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEEDS_YOU_AFTER_TRIES, newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { createdObjectName, runObjectName } from '../../domain/names.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aHost,
  aMigration,
  anObject,
  aPoolReport,
  DESTINATION,
  MIGRATION_ID,
  OTHER_MIGRATION_ID,
  SOURCE,
  SOURCE_OBJECT,
  VOLUME_ID,
} from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { createWorld, MEMBER, volumeNow, type World, withHosts, withVolume } from './world.ts';

const A = 'host-a@files#ssd';
const B = 'host-b@files#ssd';
const NOWHERE = '99999999-9999-4999-8999-999999999999';
const LEFT = runObjectName(VOLUME_ID, MIGRATION_ID, 1);
const LIVE = SOURCE_OBJECT.objectName;
const failed: Partial<Migration> = {
  stage: { state: 'failed', endedAtMs: START_MS, reason: volmoveError('Cancelled', { by: 'root' }).toFailure() },
  endedTold: true,
  jobsEnded: true,
};

/** A volume on host-a whose migration to host-b has failed. */
const aFailedMove = async (change: Partial<Migration> = {}): Promise<World> => {
  const world = createWorld();
  await withHosts(world);
  await withVolume(world);
  await world.store.migrations.create(aMigration({ ...failed, ...change }));
  return world;
};

const scan = async (world: World, body: object = { scan: {} }) =>
  (await world.ask('POST', '/v3/project/cleanup/scan', { body })).body;
const remove = async (world: World, objects: object[], more: object = {}) => {
  const answer = await world.ask('POST', '/v3/cleanup/remove', { body: { remove: { objects, ...more } } });
  return answer.body.objects ?? answer.body;
};
const names = (body: { leftovers: { object: string }[] }): string[] => body.leftovers.map(({ object }) => object);
const busy = volmoveError('ObjectBusy', { object: LEFT, reason: 'it is open' }).toFailure();
const entryFailed = (tries: number) => ({
  ...newCleanup({ objectName: LEFT, ...DESTINATION }, 'destination', 1),
  tries,
  failedTries: tries,
  nextTryAtMs: START_MS + 60_000,
  lastFailure: busy,
});

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
    const world = await aFailedMove();
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

describe('the removal of a leftover', () => {
  it('of a failed migration is written into it first, is done by the agent, and closes it again', async () => {
    const world = await aFailedMove();
    const agents = withAgents(world, { [B]: [inPool(LEFT)] });

    const became = await remove(world, [{ object: LEFT, host: B, id: `id-of-${LEFT}` }]);

    expect(became).toEqual([{ object: LEFT, host: B, state: 'removed', reason: null }]);
    expect(agents.removed).toEqual([LEFT]);
    const migration = await world.store.migrations.get(MIGRATION_ID);
    expect(migration?.cleanup).toMatchObject([
      { objectName: LEFT, objectId: `id-of-${LEFT}`, state: 'done', tries: 1 },
    ]);
    expect(names(await scan(world))).toEqual([]);
  });

  it('is an entry of its volume when no migration can hold it', async () => {
    const world = createWorld();
    await withHosts(world);
    await withVolume(world, { operation: 3 });
    const earlier = createdObjectName(VOLUME_ID, 2);
    const agents = withAgents(world, { [A]: [inPool(LIVE), inPool(earlier)] });

    const became = await remove(world, [{ object: earlier, host: A }]);

    expect(became).toMatchObject([{ state: 'removed' }]);
    expect(agents.removed).toEqual([earlier]);
    expect((await volumeNow(world, { id: VOLUME_ID })).cleanup).toMatchObject([{ objectName: earlier, state: 'done' }]);
  });

  it('that is busy is a failure with its reason, and the sweeper goes on', async () => {
    const world = await aFailedMove();
    const agents = withAgents(world, { [B]: [inPool(LEFT)] });
    agents.busy.add(LEFT);

    const became = await remove(world, [{ object: LEFT, host: B }]);

    expect(became).toMatchObject([{ state: 'failed', reason: busy.message }]);
    expect((await scan(world)).leftovers).toMatchObject([{ object: LEFT, state: 'pending', tries: 1 }]);
    expect((await world.store.open()).migrations).toEqual([MIGRATION_ID]);
  });

  it('that waits for its next try is tried at once, and by its name alone', async () => {
    const world = await aFailedMove({ cleanup: [entryFailed(NEEDS_YOU_AFTER_TRIES)] });
    const agents = withAgents(world, { [B]: [inPool(LEFT)] });

    const became = await remove(world, [{ object: LEFT }]);

    expect(became).toMatchObject([{ state: 'removed', reason: null }]);
    expect(agents.removed).toEqual([LEFT]);
    expect((await world.ask('GET', `/v3/migrations/${MIGRATION_ID}`)).body.migration.cleanup).toEqual({
      state: 'done',
      left: [],
    });
  });

  it('on a host that does not answer is pending, and its entry waits for the host', async () => {
    const world = await aFailedMove();
    const agents = withAgents(world, { [B]: [inPool(LEFT)] });
    agents.frozen.add('host-b');

    const became = await remove(world, [{ object: LEFT, host: B }]);

    expect(became).toMatchObject([{ state: 'pending' }]);
    agents.frozen.clear();
    expect(await remove(world, [{ object: LEFT }])).toMatchObject([{ state: 'removed' }]);
  });

  it('of many objects of one migration is one request, and each is told of', async () => {
    const world = await aFailedMove();
    const runs = Array.from({ length: 60 }, (_, n) => runObjectName(VOLUME_ID, MIGRATION_ID, n + 1));
    const agents = withAgents(world, { [B]: runs.map((name) => inPool(name)) });
    agents.busy.add(runs[7] ?? '');

    const became: { state: string }[] = await remove(
      world,
      runs.map((object) => ({ object, host: B })),
    );

    expect(became.map(({ state }) => state)).toEqual(runs.map((_, n) => (n === 7 ? 'failed' : 'removed')));
    expect(new Set(agents.removed).size).toBe(59);
  });

  it('survives the death of the API after the entry is written: the sweeper makes it good', async () => {
    const world = await aFailedMove();
    const agents = withAgents(world, { [B]: [inPool(LEFT)] });
    const { jobs } = world.store;
    const dies = createWorld(undefined, {
      store: { ...world.store, jobs: { ...jobs, create: () => Promise.reject(new Error('dead')) } },
    });

    const answer = await dies.ask('POST', '/v3/cleanup/remove', {
      body: { remove: { objects: [{ object: LEFT, host: B }] } },
    });
    world.clock.advanceMs(5_000);
    await sweep(world.deps)({ full: false });
    await world.meanwhile.act();
    await sweep(world.deps)({ full: false });

    expect(answer.status).toBe(500);
    expect(agents.removed).toEqual([LEFT]);
    expect((await world.store.migrations.get(MIGRATION_ID))?.cleanup).toMatchObject([{ state: 'done' }]);
  });

  it.each<[string, object, string | RegExp]>([
    ['that its volume lives on', { object: LIVE, host: A }, `volume ${VOLUME_ID} lives on it`],
    ['that is not known here', { object: createdObjectName(NOWHERE, 1), host: A }, /another installation/],
    ['that volmove never names like this', { object: 'vm-disk', host: A }, /not of the form/],
    ['of which nobody says where it is', { object: LEFT }, /no pool was named/],
    ['in a pool that is not there', { object: LEFT, host: 'host-b@files#none' }, 'there is no such pool'],
  ])('%s is refused with the reason, and nothing is asked of any host', async (_what, object, reason) => {
    const world = await aFailedMove();
    const agents = withAgents(world, { [A]: [inPool(LIVE)] });

    const [became] = await remove(world, [object]);

    expect(became.state).toBe('refused');
    expect(became.reason).toMatch(reason);
    expect(agents.removed).toEqual([]);
    expect(world.looks).toEqual([]);
  });

  it('of an object that is not known here takes a word of its own, and is a job of its own', async () => {
    const world = await aFailedMove();
    const stranger = createdObjectName(NOWHERE, 1);
    const agents = withAgents(world, { [A]: [inPool(stranger)] });

    const became = await remove(world, [{ object: stranger, host: A }], { unknown: true });

    expect(became).toMatchObject([{ state: 'removed' }]);
    expect(agents.removed).toEqual([stranger]);
  });

  it('is refused for what a volume keeps or a migration is at, also with that word', async () => {
    const world = createWorld();
    await withHosts(world);
    const kept = runObjectName(VOLUME_ID, OTHER_MIGRATION_ID, 1);
    const retained = [
      { object: anObject(kept), kind: 'source', migrationId: MIGRATION_ID, run: 1, expiresAtMs: 0, writeEpoch: 0 },
    ] as const;
    await withVolume(world, { retained });
    await world.store.migrations.create(aMigration());
    const agents = withAgents(world);

    const became = await remove(
      world,
      [
        { object: kept, host: A },
        { object: LEFT, host: B },
      ],
      { unknown: true },
    );

    expect(became).toMatchObject([
      { state: 'refused', reason: `volume ${VOLUME_ID} keeps it` },
      { state: 'refused', reason: `migration ${MIGRATION_ID} has not ended` },
    ]);
    expect(agents.removed).toEqual([]);
  });

  it('never removes what a volume refers to, whatever is in the pools and whatever is asked for (property)', async () => {
    const anyName = fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((n) => createdObjectName(VOLUME_ID, n)),
      fc.integer({ min: 1, max: 3 }).map((run) => runObjectName(VOLUME_ID, MIGRATION_ID, run)),
    );
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          location: anyName,
          retained: fc.array(anyName, { maxLength: 2 }),
          entries: fc.uniqueArray(anyName, { maxLength: 2 }),
          pool: fc.uniqueArray(anyName, { maxLength: 6 }),
          expired: fc.boolean(),
        }),
        async ({ location, retained, entries, pool, expired }) => {
          const world = createWorld();
          await withHosts(world);
          await withVolume(world, {
            operation: 4,
            location: anObject(location),
            retained: retained.map((name) => ({
              object: anObject(name),
              kind: 'source' as const,
              migrationId: MIGRATION_ID,
              run: 1,
              expiresAtMs: expired ? START_MS : START_MS + 3_600_000,
              writeEpoch: 0,
            })),
          });
          const cleanup = entries.map((objectName) => newCleanup({ objectName, ...SOURCE }, 'source'));
          await world.store.migrations.create(aMigration({ ...failed, cleanup }));
          const agents = withAgents(world, { [A]: pool.map((name) => inPool(name)) });

          const listed = names(await scan(world));
          await remove(
            world,
            pool.map((object) => ({ object, host: A })),
            { unknown: true },
          );

          const untouchable = [location, ...(expired ? [] : retained)];
          const fromPools = listed.filter((name) => !entries.includes(name));
          expect(fromPools.filter((name) => name === location || retained.includes(name))).toEqual([]);
          expect(agents.removed.filter((name) => untouchable.includes(name))).toEqual([]);
          removed += agents.removed.length;
        },
      ),
      { numRuns: 100 },
    );
    expect(removed).toBeGreaterThan(20);
  });
});
