import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { createdObjectName, runObjectName } from '../../domain/names.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aMigration,
  anObject,
  aRetained,
  MIGRATION_ID,
  OTHER_MIGRATION_ID,
  SOURCE,
  VOLUME_ID,
} from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { A, aFailedMove, B, failed, LEFT, LIVE, NOWHERE, names, remove, scan } from './cleanup-scene.ts';
import { createWorld, withHosts, withVolume } from './world.ts';

describe('the removal of an object', () => {
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

  it('is refused for what a volume keeps or a migration is at, also with that word', async () => {
    const world = createWorld();
    await withHosts(world);
    const kept = runObjectName(VOLUME_ID, OTHER_MIGRATION_ID, 1);
    await withVolume(world, { retained: [aRetained({ object: anObject(kept), expiresAtMs: 0 })] });
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
            retained: retained.map((name) =>
              aRetained({ object: anObject(name), expiresAtMs: expired ? START_MS : START_MS + 3_600_000 }),
            ),
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
