import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MigrationBody, type Rig, startRig, until } from '../../system/rig.ts';
import { CRAWL, inMidCopy } from '../scenario/mid-copy.ts';
import { attempt, DISKS, lvs, sh } from './group.ts';

/** Two real agents and an embedded cloud, by the public HTTP API alone, with LVM below them. */

const MIB = 1024 * 1024;
const GROUPS = ['vga', 'vgb'] as const;
/** Where each volume of the tests has its data: 64 MiB, some of it across blocks. */
const DATA_MIB = [0, 100, 333, 1000];

const THIN_A = 'alpha@lvm#fast';
const THIN_A2 = 'alpha@lvm#other';
const THICK_A = 'alpha@lvm#thick';
const THIN_B = 'beta@lvm#fast';
const FILE_A = 'alpha@files#main';

const poolsOf = (host: string): readonly object[] =>
  host === 'alpha'
    ? [
        { name: 'fast', vg: 'vga', thin_pool: 'fast' },
        { name: 'other', vg: 'vga', thin_pool: 'other' },
        { name: 'thick', vg: 'vga' },
      ]
    : [{ name: 'fast', vg: 'vgb', thin_pool: 'fast' }];

describe('volumes on real LVM', () => {
  let rig: Rig;

  beforeAll(async () => {
    await sh('vgcreate', '-y', 'vga', DISKS[0]);
    await sh('vgcreate', '-y', 'vgb', DISKS[1]);
    for (const pool of ['vga/fast', 'vga/other', 'vgb/fast']) await sh('lvcreate', '-y', '-L', '2G', '-T', pool);
    await sh('mkdir', '-p', '/run/files');
    rig = await startRig(['alpha', 'beta'], (host: string) => ({
      // one slow processor for all of this: nobody is lost who is late
      heartbeat_seconds: 20,
      backends: [
        { name: 'files', driver: 'file', pools: [{ name: 'main', path: '/run/files' }] },
        { name: 'lvm', driver: 'lvm', pools: poolsOf(host) },
      ],
    }));
  });
  afterAll(async () => {
    await rig?.stop();
    for (const group of GROUPS) await attempt('vgremove', '-ff', '-y', group);
  });

  const createAt = async (place: string): Promise<string> => {
    const id = await until(`a volume can be created at ${place}`, async () => {
      const reply = await rig.call<{ volume: { id: string } }>('POST', '/volumes', {
        volume: { size: 1 },
        'OS-SCH-HNT:scheduler_hints': { volmove_pool: place },
      });
      if (reply.status !== 202) throw new Error(JSON.stringify(reply.body));
      return reply.body.volume.id;
    });
    await until('the volume is available', async () => (await rig.volume(id)).status === 'available');
    return id;
  };

  /** Every object of the volume, in every group and in the files' pool. */
  const objectsOf = async (id: string): Promise<string[]> => {
    const volumes = await Promise.all(GROUPS.map((vg) => lvs(vg, 'vg_name', 'pool_lv', 'lv_name')));
    const files = (await sh('ls', '/run/files')).split('\n').map((name) => ['/run/files', '', name]);
    return [...volumes.flat(), ...files]
      .filter(([, , name]) => name?.includes(`volume-${id}-`))
      .map(([where, pool, name]) => (pool === '' ? join(where ?? '', name ?? '') : `${where}/${pool}:${name}`));
  };

  /** The one place where a guest would find it. */
  const pathOf = async (id: string): Promise<string> => {
    const [object = '', ...more] = await objectsOf(id);
    expect(more).toEqual([]);
    if (object.startsWith('/')) return object;
    const [, vg, name] = /^([^/]+)\/(?:[^:]*:)?(.*)$/.exec(object) ?? [];
    return `/dev/${vg}/${name}`;
  };

  const fill = async (id: string): Promise<void> => {
    const handle = await open(await pathOf(id), 'r+');
    try {
      // a little less than 16 MiB: the last block is written in part
      for (const mib of DATA_MIB) await handle.write(randomBytes(16 * MIB - 12_345), 0, 16 * MIB - 12_345, mib * MIB);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };

  /** Of what was written, and of what lies around it. The rest is the digests' to prove, and too much for one slow processor. */
  const contentOf = async (id: string): Promise<string> => {
    const hash = createHash('sha256');
    const handle = await open(await pathOf(id), 'r');
    const memory = Buffer.alloc(24 * MIB);
    try {
      for (const mib of DATA_MIB) {
        await handle.read(memory, 0, memory.length, mib * MIB);
        hash.update(memory);
      }
    } finally {
      await handle.close();
    }
    return hash.digest('hex');
  };

  const mappedMib = async (id: string): Promise<number> => {
    const name = (await pathOf(id)).replace('/dev/', '').replaceAll('-', '--').replace('/', '-');
    return (Number((await sh('dmsetup', 'status', name)).split(' ')[3]) * 512) / MIB;
  };

  /** What an earlier test has removed is free again with its host's next heartbeat. */
  const migrate = (id: string, options: object): Promise<string> =>
    until('there is room for it', () => rig.migrate(id, 'unused', options));

  const move = async (id: string, destination: string, options: object = {}): Promise<MigrationBody> =>
    rig.ended(await migrate(id, { destination, ...options }));

  it.each([
    { what: 'thin to thin of another group', from: THIN_A, to: THIN_B, thin: true },
    { what: 'thin to another pool, locked', from: THIN_A, to: THIN_A2, thin: true, lock: true },
    { what: 'thick to thin', from: THICK_A, to: THIN_B, thin: true },
    { what: 'thin to thick', from: THIN_B, to: THICK_A, thin: false },
    { what: 'file to thin', from: FILE_A, to: THIN_B, thin: true },
    { what: 'thin to file', from: THIN_B, to: FILE_A, thin: false },
  ])('move $what: same content, one object, what was thin stays thin', async ({ from, to, thin, lock = false }) => {
    const id = await createAt(from);
    await fill(id);
    const before = await contentOf(id);

    const ended = await move(id, to, { lock });

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
    expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': to });
    expect(await contentOf(id)).toBe(before);
    if (thin) expect(await mappedMib(id)).toBeLessThanOrEqual(64 * 1.05);
    await rig.call('DELETE', `/volumes/${id}`);
    await until('nothing is left of the volume', async () => (await objectsOf(id)).length === 0);
  });

  it('goes on after the source’s agent was killed in the middle, and the pool’s metadata is nobody’s in the end', async () => {
    const id = await createAt(THIN_A);
    await fill(id);
    const before = await contentOf(id);
    const migration = await migrate(id, { destination: THIN_B, bandwidth_bytes_per_second: CRAWL });
    await inMidCopy(rig, migration);

    await rig.kill('alpha');
    await rig.start('alpha');
    await rig.call('POST', `/migrations/${migration}/action`, { set_bandwidth: { bytes_per_second: null } });
    const ended = await rig.ended(migration);

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(await contentOf(id)).toBe(before);
    for (const pool of ['vga-fast-tpool', 'vgb-fast-tpool'])
      expect((await sh('dmsetup', 'status', pool)).split(' ')[6]).toBe('-');
  });

  it('gives way to an attach in the middle, and leaves nothing at the destination', async () => {
    const id = await createAt(THIN_A);
    await fill(id);
    const migration = await migrate(id, { destination: THIN_B, bandwidth_bytes_per_second: CRAWL });
    await inMidCopy(rig, migration);

    const reserved = await rig.action(id, { 'os-reserve': null });
    const ended = await rig.ended(migration);

    expect(reserved.status).toBe(202);
    expect(ended.state).toBe('failed');
    expect(await objectsOf(id)).toEqual([expect.stringContaining('vga/fast:')]);
  });

  it('is cancelled in the middle, and leaves nothing at the destination', async () => {
    const id = await createAt(THIN_A);
    await fill(id);
    const migration = await migrate(id, { destination: THICK_A, bandwidth_bytes_per_second: CRAWL });
    await inMidCopy(rig, migration);

    await rig.call('POST', `/migrations/${migration}/action`, { cancel: {} });
    const ended = await rig.ended(migration);

    expect(ended.state).toBe('failed');
    expect(await objectsOf(id)).toEqual([expect.stringContaining('vga/fast:')]);
    expect((await rig.volume(id)).status).toBe('available');
  });
});
