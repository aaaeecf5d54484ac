import { VOLUME_ID } from '../helpers/factories.ts';
import { type Answer, createWorld, type World, withHosts, withVolume } from './world.ts';

/** Both ways to ask for a migration. */

export const TO_B = 'host-b@files#ssd';
export const STANDARD_REFUSAL =
  'status must be available or in-use, must not be migrating, have snapshots, be replicated, be part of a group and destination host/cluster must be different than the current one';
export const PREFIX = 'Your migration request failed to process due to: ';

/** POST /migrations of the volume to host-b. */
export const native = (world: World, more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  world.ask('POST', '/v3/migrations', {
    body: { migration: { volume_id: VOLUME_ID, destination: TO_B, ...more } },
    headers,
  });

/** os-migrate_volume of the volume to host-b. */
export const standard = (world: World, more: object = {}, version = '3.0'): Promise<Answer> =>
  world.act(VOLUME_ID, { 'os-migrate_volume': { host: TO_B, ...more } }, { version });

export const ready = async (world = createWorld(), change: Parameters<typeof withVolume>[1] = {}): Promise<World> => {
  await withHosts(world);
  await withVolume(world, change);
  return world;
};
