import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Rig, startRig, until } from './rig.ts';

/** What somebody has put into a pool by hand, taken over, moved, and given up again by real agents. */

/** No whole number of GiB, nor of the chunks that a copy works with. */
const SIZE_BYTES = 5 * 1024 * 1024 + 512;
const VERSION = { 'OpenStack-API-Version': 'volume 3.70' };
const MAIN = 'alpha@files#main';

interface Manageable {
  readonly reference: { readonly 'source-name': string };
  readonly size: number;
  readonly safe_to_manage: boolean;
  readonly reason_not_safe: string | null;
  readonly cinder_id: string | null;
}

const manageable = async ({ call }: Rig): Promise<Manageable[]> => {
  const query = new URLSearchParams({ host: MAIN, sort: 'reference:asc' });
  const { body } = await call<{ 'manageable-volumes': Manageable[] }>(
    'GET',
    `/manageable_volumes/detail?${query.toString()}`,
    undefined,
    'admin:demo',
    VERSION,
  );
  return body['manageable-volumes'];
};

const manage = ({ call }: Rig, name: string, host = MAIN) =>
  call<{ volume: { id: string; status: string } }>(
    'POST',
    '/os-volume-manage',
    { volume: { host, ref: { 'source-name': name }, name: `of ${name}`, bootable: false } },
    'admin:demo',
    VERSION,
  );

const isOver = (rig: Rig, id: string) =>
  until(`the adoption ${id} is over`, async () => {
    const now = await rig.volume(id);
    return now.status !== 'creating' && now;
  });

const digest = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

describe('a file that was put into a pool by hand', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it('is listed, taken over once by two at once, moved, restored, moved again; its old file goes, nothing is left', async () => {
    rig = await startRig(['alpha', 'beta'], {}, ['main', 'other']);
    const here = rig;
    const file = join(rig.pool('alpha'), 'disk7.img');
    await rig.create('alpha');
    await writeFile(file, randomBytes(SIZE_BYTES));
    await writeFile(join(rig.pool('alpha'), 'empty.img'), '');
    const before = await digest(file);

    const listed = await manageable(rig);
    const asked = await Promise.all([manage(rig, 'disk7'), manage(rig, 'disk7'), manage(rig, 'disk7')]);
    const accepted = asked.filter(({ status }) => status === 202).map(({ body }) => body.volume.id);
    const over = await Promise.all(accepted.map((id) => isOver(here, id)));
    const won = over.filter(({ status }) => status === 'available');
    const id = won[0]?.id ?? '';

    expect(listed).toMatchObject([
      { reference: { 'source-name': 'disk7' }, size: 1, safe_to_manage: true, cinder_id: null },
      { reference: { 'source-name': 'empty' }, safe_to_manage: false, reason_not_safe: 'it is empty' },
    ]);
    expect(won).toHaveLength(1);
    expect(await manageable(rig)).toMatchObject([{ safe_to_manage: false, cinder_id: id }, {}]);

    const kept = await rig.migrate(id, 'beta', { source_retention_seconds: 3600 });
    expect(await rig.ended(kept)).toMatchObject({ state: 'succeeded' });
    expect(existsSync(file)).toBe(true);
    const restored = await rig.call('POST', `/migrations/${kept}/action`, { restore: {} });
    expect(restored.status).toBe(202);
    expect((await rig.volume(id))['os-vol-host-attr:host']).toBe(MAIN);

    const migration = await rig.migrate(id, 'beta');
    const moved = await rig.ended(migration);
    await rig.ended(kept);

    expect(moved).toMatchObject({ state: 'succeeded', digests: { source: moved.digests?.destination } });
    expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'beta@files#main' });
    expect(await digest(await rig.path(id))).toBe(before);
    expect(existsSync(file)).toBe(false);
    await until('nothing of the move is left', async () => (await here.objects()).length === 3);
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    // the name is free again, and another file of that name is another volume's
    await writeFile(file, randomBytes(SIZE_BYTES));
    const again = await manage(rig, 'disk7');
    expect(await isOver(rig, again.body.volume.id)).toMatchObject({ status: 'available' });
    expect(again.body.volume.id).not.toBe(id);
  }, 180_000);

  it('moves by dd, too, and is left where it is when its volume is given up', async () => {
    rig = await startRig(['alpha'], {}, ['main', 'other']);
    const moving = join(rig.pool('alpha'), 'disk1.img');
    const staying = join(rig.pool('alpha'), 'disk2.img');
    await rig.create('alpha');
    for (const path of [moving, staying]) await writeFile(path, randomBytes(SIZE_BYTES));
    const before = await Promise.all([moving, staying].map(digest));
    const [first, second] = [await manage(rig, 'disk1'), await manage(rig, 'disk2')];
    const [one, two] = [first.body.volume.id, second.body.volume.id];
    const over = await Promise.all([one, two].map((id) => isOver(rig as Rig, id)));
    expect(over).toMatchObject([{ status: 'available' }, { status: 'available' }]);

    const options = { destination: 'alpha@files#other', copy_engine: 'dd' };
    const moved = await rig.ended(await rig.migrate(one, 'alpha', options));
    const unmanaged = await rig.action(two, { 'os-unmanage': null });
    const moreUnmanaged = await rig.action(one, { 'os-unmanage': null });

    expect(moved).toMatchObject({ state: 'succeeded', copy_engine: 'dd' });
    expect(existsSync(moving)).toBe(false);
    expect([unmanaged.status, moreUnmanaged.status]).toEqual([202, 202]);
    expect(await digest(staying)).toBe(before[1]);
    const [left] = (await rig.objects()).filter((name) => name.includes(one));
    expect(await digest(join(rig.pool('alpha', 'other'), left?.split('/')[1] ?? ''))).toBe(before[0]);
    const { body } = await rig.call<{ leftovers: object[] }>('POST', '/cleanup/scan', { scan: {} });
    expect(body.leftovers).toEqual([]);
    expect((await manageable(rig)).map(({ reference }) => reference['source-name'])).toEqual(['disk2']);
    expect((await rig.call('GET', `/volumes/${two}`)).status).toBe(404);
  }, 180_000);
});
