import { describe, expect, it } from 'vitest';
import { NEEDS_YOU_AFTER_TRIES } from '../../domain/cleanup.ts';
import { createdObjectName, runObjectName } from '../../domain/names.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { MIGRATION_ID, VOLUME_ID } from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { A, aFailedMove, B, busy, entryFailed, LEFT, LIVE, NOWHERE, names, remove, scan } from './cleanup-scene.ts';
import { createWorld, volumeNow, type World, withHosts, withVolume } from './world.ts';

/** Time goes by until the next try; the sweeper asks for it, the agent does it, the sweeper records it. */
const sweeperTries = async (world: World): Promise<void> => {
  world.clock.advanceMs(5_000);
  await sweep(world.deps)({ full: false });
  await world.meanwhile.act();
  await sweep(world.deps)({ full: false });
};

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

    agents.busy.clear();
    await sweeperTries(world);

    expect(agents.removed).toEqual([LEFT]);
    expect((await world.store.open()).migrations).toEqual([]);
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
    const world = await aFailedMove({ run: 60 });
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
    await sweeperTries(world);

    expect(answer.status).toBe(500);
    expect(agents.removed).toEqual([LEFT]);
    expect((await world.store.migrations.get(MIGRATION_ID))?.cleanup).toMatchObject([{ state: 'done' }]);
  });

  it('of an object that is not known here takes a word of its own, and is a job of its own', async () => {
    const world = await aFailedMove();
    const stranger = createdObjectName(NOWHERE, 1);
    const agents = withAgents(world, { [A]: [inPool(stranger)] });

    const became = await remove(world, [{ object: stranger, host: A }], { unknown: true });

    expect(became).toMatchObject([{ state: 'removed' }]);
    expect(agents.removed).toEqual([stranger]);
    expect((await world.store.migrations.get(MIGRATION_ID))?.cleanup).toEqual([]);
    expect((await volumeNow(world, { id: VOLUME_ID })).cleanup).toEqual([]);
  });
});
