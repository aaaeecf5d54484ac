import { describe, expect, it } from 'vitest';
import { GIB } from '../../domain/volume/volume.ts';
import { SOURCE_OBJECT } from '../helpers/factories.ts';
import { createWorld, MEMBER, type World, withVolume } from './world.ts';

/** Five volumes, v1 the oldest; v5 is another project's. */
const withFive = async (): Promise<World> => {
  const world = createWorld();
  for (const n of [1, 2, 3, 4, 5]) {
    await withVolume(world, {
      id: `v${n}`,
      name: `name-${n % 2}`,
      sizeBytes: (6 - n) * GIB,
      createdAtMs: n * 1000,
      projectId: n === 5 ? 'elsewhere' : 'project',
      status: n === 2 ? 'in-use' : 'available',
      migrationStatus: n === 3 ? 'error' : null,
      location: n === 4 ? { ...SOURCE_OBJECT, pool: 'hdd' } : SOURCE_OBJECT,
    });
  }
  return world;
};

const idsOf = (body: { volumes: { id: string }[] }): string[] => body.volumes.map((volume) => volume.id);

describe('the list of volumes', () => {
  it.each<[string, string, string[]]>([
    ['newest first, of the own project', '', ['v4', 'v3', 'v2', 'v1']],
    ['of all projects', '?all_tenants=1', ['v5', 'v4', 'v3', 'v2', 'v1']],
    ['a page', '?limit=2', ['v4', 'v3']],
    ['the page behind a marker', '?limit=2&marker=v3', ['v2', 'v1']],
    ['an empty page', '?limit=0', []],
    ['from an offset', '?offset=3', ['v1']],
    ['in another order', '?sort=name:asc,size:desc', ['v2', 'v4', 'v1', 'v3']],
    ['in another order, as older clients ask', '?sort_key=size&sort_dir=asc', ['v4', 'v3', 'v2', 'v1']],
    ['of a name', '?name=name-1', ['v3', 'v1']],
    ['of a status', '?status=in-use', ['v2']],
    ['of a migration status', '?migration_status=error', ['v3']],
    ['that were never migrated', '?migration_status=None', ['v4', 'v2', 'v1']],
    ['of a pool', '?host=host-a@files%23hdd', ['v4']],
    ['of all pools of a backend', '?host=host-a@files', ['v4', 'v3', 'v2', 'v1']],
    ['of an unknown filter: none', '?constructor=x', []],
    ['of two filters', '?name=name-0&status=available', ['v4']],
  ])('shows %s', async (_, query, ids) => {
    const { ask } = await withFive();

    const answer = await ask('GET', `/v3/volumes${query}`);

    expect(answer.status).toBe(200);
    expect(idsOf(answer.body)).toEqual(ids);
  });

  it('links to the next page while a page is full', async () => {
    const { ask } = await withFive();

    const first = await ask('GET', '/v3/project/volumes/detail?limit=3&status=available');
    const next = new URL(first.body.volumes_links[0].href);
    const second = await ask('GET', `${next.pathname}${next.search}`);

    expect(next.href).toBe('http://volmove.test:8776/v3/project/volumes/detail?limit=3&status=available&marker=v1');
    expect(second.body).toEqual({ volumes: [] });
  });

  it('counts when it is asked to', async () => {
    const { ask } = await withFive();

    const [counted, older] = await Promise.all(
      ['3.45', '3.44'].map((version) => ask('GET', '/v3/volumes?limit=1&with_count=True', { version })),
    );

    expect(counted?.body.count).toBe(4);
    expect(older?.body.count).toBeUndefined();
  });

  it('shows a member the own project and nothing of migrations, whatever is asked', async () => {
    const { ask } = await withFive();

    const everywhere = await ask('GET', '/v3/volumes?all_tenants=1', { token: MEMBER });
    const filtered = await ask('GET', '/v3/volumes?migration_status=error', { token: MEMBER });
    const strict = await ask('GET', '/v3/volumes?migration_status=error&host=x', { token: MEMBER, version: '3.31' });

    expect(idsOf(everywhere.body)).toEqual(['v4', 'v3', 'v2', 'v1']);
    expect(idsOf(filtered.body)).toEqual(['v4', 'v3', 'v2', 'v1']);
    expect(strict.body.badRequest.message).toBe('Invalid filters migration_status, host are found in query options.');
  });

  it.each([
    ['limit=-1', 400, 'limit param must be positive'],
    ['limit=x', 400, 'limit param must be an integer'],
    ['marker=zzz', 404, 'Volume zzz could not be found.'],
    ['sort=shape', 400, "Invalid input received: there is no sort key 'shape'"],
  ])('refuses %s', async (query, status, message) => {
    const { ask } = await withFive();

    const answer = await ask('GET', `/v3/volumes/detail?${query}`);

    expect(answer.status).toBe(status);
    expect(Object.values(answer.body)).toEqual([{ code: status, message }]);
  });

  it('names and links alone in the short form', async () => {
    const { ask } = await withFive();

    const { body } = await ask('GET', '/v3/volumes?limit=1');

    expect(Object.keys(body.volumes[0])).toEqual(['id', 'name', 'links']);
  });
});
