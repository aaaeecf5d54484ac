import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { describeManage } from '../scenario/manage.ts';
import { describeMatrix } from '../scenario/matrix.ts';
import { COPIED } from '../scenario/ways.ts';
import { sh } from './group.ts';
import { FAST_A, FAST_B, HOSTS, lvmStage, NEAR_A, OTHER_A, reservedMetadata } from './stage.ts';
import { staysThin } from './stays-thin.ts';

describe('volumes on real LVM', () => {
  const stage = lvmStage();

  describeMatrix({
    stage,
    hosts: HOSTS,
    few: true,
    pairings: {
      'thin to thin on another host': { from: FAST_A, to: FAST_B, way: COPIED, also: staysThin('vgb', FAST_B) },
      'thin to thin in another volume group': { from: FAST_A, to: NEAR_A, way: COPIED, also: staysThin('vgb', NEAR_A) },
      'thin to another thin pool of the group': {
        from: FAST_A,
        to: OTHER_A,
        way: COPIED,
        also: staysThin('vga', OTHER_A),
      },
    },
  });

  it('nobody has the metadata of a thin pool reserved in the end', async () => {
    expect(await reservedMetadata()).toEqual([]);
  });

  const sizeMib = 1028;
  const make = (name: string) => sh('lvcreate', '-y', '-V', `${sizeMib}M`, '-T', 'vga/fast', '-n', name);

  describe('a logical volume that was made outside', () =>
    describeManage({
      stage,
      at: FAST_A,
      to: OTHER_A,
      sizeBytes: sizeMib * 1024 * 1024,
      make: async (name) => void (await make(name)),
      unfit: {
        'a process has it open': {
          why: /it is open/,
          async spoil(name) {
            await make(name);
            const handle = await open(`/dev/vga/${name}`, 'r');
            return () => handle.close();
          },
        },
        'it has snapshots': {
          why: /it has snapshots: kept/,
          async spoil(name) {
            await make(name);
            await sh('lvcreate', '-y', '-s', '-n', 'kept', `vga/${name}`);
            return async () => void (await sh('lvremove', '-y', 'vga/kept'));
          },
        },
      },
    }));
});
