import { describe, expect, it } from 'vitest';
import type { Host } from '../../domain/host/host.ts';
import { wayOf } from '../../domain/migration/way.ts';
import type { MigrationOptions } from '../../domain/volume/volume.ts';
import { aHost, aPoolReport, OPTIONS } from '../helpers/factories.ts';

const FAST = aPoolReport({ name: 'fast', poolId: 'fsid-1', systemId: 'ceph:fsid' });
const SLOW = aPoolReport({ name: 'slow', poolId: 'fsid-2', systemId: 'ceph:fsid' });
const NOWHERE = aPoolReport({ name: 'fast', poolId: 'fsid-1' });
const host = (
  id: string,
  pools = [FAST, SLOW],
  attachDuringMove: 'safe' | 'forbidden' | undefined = 'forbidden',
): Host =>
  aHost(id, {
    backends: [
      {
        name: 'ceph',
        driver: 'rbd',
        migrationProgressReport: true,
        ...(attachDuringMove && { attachDuringMove }),
        pools,
      },
    ],
  });
const place = (hostId: string, pool: string) => ({ hostId, backend: 'ceph', pool });
const way = (to: Host, pool: string, options: Partial<MigrationOptions> = {}, from = host('a')) =>
  wayOf({ source: place('a', 'fast'), destination: place(to.id, pool), options: { ...OPTIONS, ...options } }, from, to);

describe('how a volume gets to its destination', () => {
  it('is by its backend between two pools of one system', () => {
    expect(way(host('a'), 'slow')).toEqual({
      way: 'backend',
      pool: 'slow',
      attachDuringMove: 'forbidden',
      takesSpace: true,
    });
  });

  it('takes no space where the backend reports that its moves leave the bytes where they are', () => {
    const [backend] = host('a').backends;
    if (!backend) throw new Error('there is none');
    const inPlace = aHost('a', { backends: [{ ...backend, moveTakesNoSpace: true }] });

    expect(way(inPlace, 'slow', {}, inPlace)).toMatchObject({ way: 'backend', takesSpace: false });
  });

  it('is by its backend also to a pool that another host calls by another name, as the source’s host calls it', () => {
    const other = host('b', [{ ...SLOW, name: 'archive' }]);

    expect(way(other, 'archive')).toMatchObject({ way: 'backend', pool: 'slow' });
  });

  it.each<[string, Parameters<typeof way>]>([
    ['to another system', [host('a'), 'slow', {}, host('a', [FAST, { ...SLOW, systemId: 'ceph:other' }])]],
    [
      'between pools of no system',
      [host('a'), 'slow', {}, host('a', [NOWHERE, { ...NOWHERE, name: 'slow', poolId: 'fsid-2' }])],
    ],
    ['to the same pool, seen by another host', [host('b'), 'fast']],
    ['to a pool that the source’s host does not serve', [host('b', [{ ...SLOW, poolId: 'fsid-3' }]), 'slow']],
    [
      'from a backend that moves nothing by itself',
      [host('a'), 'slow', {}, aHost('a', { backends: host('a').backends.map(({ attachDuringMove: _, ...b }) => b) })],
    ],
    ['when a host copy was asked for', [host('a'), 'slow', { forceHostCopy: true }]],
    ['when a copy engine was asked for', [host('a'), 'slow', { copyEngine: 'dd' }]],
    ['when the source is to be kept', [host('a'), 'slow', { sourceRetentionSeconds: 60 }]],
    ['when the source is to be wiped', [host('a'), 'slow', { wipe: true }]],
    ['when a limit was asked for', [host('a'), 'slow', { bandwidthBytesPerSecond: 1 }]],
  ])('is a copy %s, and says why', (_, asked) => {
    const found = way(...asked);

    expect(found).toEqual({ way: 'copy', why: expect.stringMatching(/\w+ \w+/) });
  });
});
