import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MigrationBody, type Rig, startRig, until } from '../../system/rig.ts';
import { CRAWL, inMidCopy } from '../scenario/mid-copy.ts';
import { type Cluster, clusterUp } from './cluster.ts';
import { missingForCeph, tool } from './daemons.ts';

/** Two real agents and an embedded cloud, by the public HTTP API alone, with two clusters of Ceph below them. */

const MIB = 1024 * 1024;
const FAST = 'alpha@ceph#fast';
const SLOW = 'alpha@ceph#slow';
const AFAR = 'beta@ceph#fast';
const FILE = 'beta@files#main';
/** Enough objects of 4 MiB for something to happen in the middle of a move, which makes them one after the other. */
const MANY_MIB = 640;

const missing = await missingForCeph();
const why = missing.length > 0 ? ` (skipped: ${missing.join(', ')} missing)` : '';

describe.skipIf(missing.length > 0)(`volumes on real clusters of Ceph${why}`, () => {
  let here: Cluster;
  let afar: Cluster;
  let rig: Rig;
  let files: string;

  const backendOf = ({ conf, dir }: Cluster, pools: readonly string[]) => ({
    name: 'ceph',
    driver: 'rbd',
    conf,
    keyring: join(dir, 'admin.keyring'),
    pools: pools.map((pool) => ({ name: pool, pool })),
  });

  beforeAll(async () => {
    here = await clusterUp();
    // one object at a time, so that a move takes long enough to be disturbed
    await appendFile(here.conf, '[client]\nrbd concurrent management ops = 1\n');
    afar = await clusterUp();
    for (const pool of ['fast', 'slow']) await here.makePool(pool);
    await afar.makePool('fast');
    files = await mkdtemp(join(tmpdir(), 'volmove-files-'));
    rig = await startRig(['alpha', 'beta'], (host: string) => ({
      heartbeat_seconds: 10,
      backends:
        host === 'alpha'
          ? [backendOf(here, ['fast', 'slow'])]
          : [backendOf(afar, ['fast']), { name: 'files', driver: 'file', pools: [{ name: 'main', path: files }] }],
    }));
  });
  afterAll(async () => {
    await rig?.stop();
    await here?.down();
    await afar?.down();
    await rm(files, { recursive: true, force: true });
  });

  const clusterAt = (place: string): Cluster => (place.startsWith('alpha') ? here : afar);
  const poolAt = (place: string): string => place.split('#')[1] ?? '';

  const createAt = async (place: string): Promise<string> => {
    const id = await until(`a volume can be created at ${place}`, async () => {
      const reply = await rig.call<{ volume: { id: string } }>('POST', '/volumes', {
        volume: { size: 1 },
        'OS-SCH-HNT:scheduler_hints': { volmove_pool: place },
      });
      return reply.status === 202 && reply.body.volume.id;
    });
    await until('the volume is available', async () => (await rig.volume(id)).status === 'available');
    return id;
  };

  const imagesOf = async (id: string): Promise<string[]> => {
    const all = await Promise.all(
      [FAST, SLOW, AFAR].map(async (place) => {
        const names = JSON.parse(await clusterAt(place).rbd('ls', poolAt(place), '--format', 'json')) as string[];
        return names.filter((name) => name.includes(`volume-${id}-`)).map((name) => ({ place, name }));
      }),
    );
    return all.flat().map(({ place, name }) => `${place}/${name}`);
  };
  const trashed = async (): Promise<unknown[]> =>
    JSON.parse(await here.rbd('trash', 'ls', '-a', 'fast', '--format', 'json'));

  const specOf = async (id: string): Promise<{ cluster: Cluster; spec: string }> => {
    const [image = '', ...more] = await imagesOf(id);
    expect(more).toEqual([]);
    const [, place = '', name = ''] = /^(.*)\/([^/]+)$/.exec(image) ?? [];
    return { cluster: clusterAt(place), spec: `${poolAt(place)}/${name}` };
  };

  const fill = async (id: string, mebibytes: number): Promise<void> => {
    const { cluster, spec } = await specOf(id);
    const file = join(cluster.dir, 'content');
    await writeFile(file, randomBytes(mebibytes * MIB));
    const target = `rbd:${spec}:conf=${cluster.conf}:keyring=${join(cluster.dir, 'admin.keyring')}`;
    await tool('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', file, target]);
  };

  const contentOf = async (id: string): Promise<string> => {
    const { cluster, spec } = await specOf(id);
    const file = join(cluster.dir, 'exported');
    await tool('rm', ['-f', file]);
    await cluster.rbd('export', '--no-progress', spec, file);
    return (await tool('sha256sum', [file])).split(' ')[0] ?? '';
  };

  const move = async (id: string, destination: string, options: object = {}): Promise<MigrationBody> =>
    rig.ended(await rig.migrate(id, 'unused', { destination, ...options }));

  it('moves between two pools of one cluster by itself: same bytes, snapshots and all, nothing copied and nothing left', async () => {
    const id = await createAt(FAST);
    await fill(id, 64);
    const before = await contentOf(id);
    const { spec } = await specOf(id);
    await here.rbd('snap', 'create', '--no-progress', `${spec}@kept`);

    const ended = await move(id, SLOW);

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': SLOW });
    expect(await contentOf(id)).toBe(before);
    expect(await here.rbd('snap', 'ls', (await specOf(id)).spec, '--format', 'json')).toContain('"kept"');
    expect(await trashed()).toEqual([]);
    const { body } = await rig.call<{ events: { detail: { event_type: string; phase?: string } }[] }>(
      'GET',
      `/migrations/${ended.id}/events`,
    );
    const told = body.events.map(({ detail }) => detail).filter(({ event_type: type }) => type.endsWith('.progress'));
    const phases = new Set(told.map(({ phase }) => phase));
    expect([...phases]).toEqual(['moving']);
  });

  it.each([
    ['to a file on another host, and back', FILE, FAST],
    ['to another cluster, and back', AFAR, SLOW],
  ])('is copied %s, proved by digests', async (_, to, back) => {
    const id = await createAt(FAST);
    await fill(id, 32);
    const before = await contentOf(id);

    const there = await move(id, to);
    const again = await move(id, back);

    for (const ended of [there, again]) {
      expect(ended).toMatchObject({ state: 'succeeded', reason: null });
      expect(ended.digests?.source).toBe(ended.digests?.destination);
    }
    expect(await contentOf(id)).toBe(before);
    expect((await readdir(files)).filter((name) => name.endsWith('.img'))).toEqual([]);
    await rig.call('DELETE', `/volumes/${id}`);
    await until('nothing is left of the volume', async () => (await imagesOf(id)).length === 0);
  });

  /** The program that makes the cluster move the image, an agent's child. */
  const mover = async (): Promise<number | undefined> => {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (line.startsWith('rbd\0') && line.includes('\0execute\0') && line.includes(here.conf)) return Number(pid);
    }
    return undefined;
  };

  /** Asked for, and stopped in the middle of its move. */
  const stoppedInMidMove = async (id: string): Promise<{ migration: string; pid: number }> => {
    const migration = await rig.migrate(id, 'unused', { destination: SLOW });
    const pid = await until('the cluster moves it', mover);
    process.kill(pid, 'SIGSTOP');
    return { migration, pid };
  };
  const manyObjects = async (): Promise<{ id: string; source: string; before: string }> => {
    const id = await createAt(FAST);
    await fill(id, MANY_MIB);
    const { spec } = await specOf(id);
    return { id, source: spec.split('/')[1] ?? '', before: await contentOf(id) };
  };

  it('is refused to a guest in the middle of its move, and taken back when it is cancelled there', async () => {
    const { id, source, before } = await manyObjects();
    const { migration } = await stoppedInMidMove(id);

    const refused = await rig.action(id, { 'os-reserve': null });
    await rig.call('POST', `/migrations/${migration}/action`, { cancel: {} });
    const ended = await rig.ended(migration);

    expect(refused).toMatchObject({ status: 400 });
    expect(JSON.stringify(refused.body)).toContain('is being moved by its backend');
    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'Cancelled' } });
    expect(await imagesOf(id)).toEqual([`${FAST}/${source}`]);
    expect(await contentOf(id)).toBe(before);
    expect((await rig.action(id, { 'os-reserve': null })).status).toBe(202);
  });

  it('goes on after the agent was killed in the middle of its move', async () => {
    const { id, before } = await manyObjects();
    const { migration } = await stoppedInMidMove(id);

    await rig.kill('alpha');
    await rig.start('alpha');
    const ended = await rig.ended(migration);

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(await contentOf(id)).toBe(before);
    expect(await trashed()).toEqual([]);
  });

  it('gives way to an attach in the middle of a copy, and leaves nothing in the other cluster', async () => {
    const id = await createAt(FAST);
    await fill(id, 64);
    const migration = await rig.migrate(id, 'unused', { destination: AFAR, bandwidth_bytes_per_second: CRAWL });
    await inMidCopy(rig, migration);

    const reserved = await rig.action(id, { 'os-reserve': null });
    const ended = await rig.ended(migration);

    expect(reserved.status).toBe(202);
    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'AbortedByAttach' } });
    expect(await imagesOf(id)).toEqual([expect.stringContaining(FAST)]);
  });

  it('refuses to copy an image with snapshots, names them, and leaves nothing', async () => {
    const id = await createAt(FAST);
    const { spec } = await specOf(id);
    await here.rbd('snap', 'create', '--no-progress', `${spec}@lost`);

    const ended = await move(id, AFAR);

    expect(ended).toMatchObject({
      state: 'failed',
      reason: { code: 'HasDependents', message: expect.stringContaining('lost') },
    });
    expect(await imagesOf(id)).toEqual([expect.stringContaining(FAST)]);
  });
});
