import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { runObjectName } from '../../domain/names.ts';
import { START_MS } from '../helpers/clock.ts';
import { aMigration, DESTINATION, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, type World, withHosts, withVolume } from './world.ts';

/** A move that has failed, what it has left, and how the API is asked to list and to remove. */

export const A = 'host-a@files#ssd';
export const B = 'host-b@files#ssd';
/** A volume that is not known here. */
export const NOWHERE = '99999999-9999-4999-8999-999999999999';
/** What the failed move has made at host-b. */
export const LEFT = runObjectName(VOLUME_ID, MIGRATION_ID, 1);
/** What the volume lives on. */
export const LIVE = SOURCE_OBJECT.objectName;

export const failed: Partial<Migration> = {
  stage: { state: 'failed', endedAtMs: START_MS, reason: volmoveError('Cancelled', { by: 'root' }).toFailure() },
  endedTold: true,
  jobsEnded: true,
};

/** A volume on host-a whose migration to host-b has failed. */
export const aFailedMove = async (change: Partial<Migration> = {}): Promise<World> => {
  const world = createWorld();
  await withHosts(world);
  await withVolume(world);
  await world.store.migrations.create(aMigration({ ...failed, ...change }));
  return world;
};

export const scan = async (world: World, body: object = { scan: {} }) =>
  (await world.ask('POST', '/v3/project/cleanup/scan', { body })).body;
export const remove = async (world: World, objects: object[], more: object = {}) => {
  const answer = await world.ask('POST', '/v3/cleanup/remove', { body: { remove: { objects, ...more } } });
  return answer.body.objects ?? answer.body;
};
export const names = (body: { leftovers: { object: string }[] }): string[] =>
  body.leftovers.map(({ object }) => object);
export const busy = volmoveError('ObjectBusy', { object: LEFT, reason: 'it is open' }).toFailure();
export const entryFailed = (tries: number) => ({
  ...newCleanup({ objectName: LEFT, ...DESTINATION }, 'destination', 1),
  tries,
  failedTries: tries,
  nextTryAtMs: START_MS + 60_000,
  lastFailure: busy,
});
