import { describe, expect, it } from 'vitest';
import { describeMatrix } from '../scenario/matrix.ts';
import { COPIED } from '../scenario/ways.ts';
import { FAST_A, FAST_B, FILE_A, HOSTS, lvmStage, reservedMetadata, THICK_A } from './stage.ts';
import { staysThin } from './stays-thin.ts';

describe('volumes on real LVM', () => {
  const stage = lvmStage();

  describeMatrix({
    stage,
    hosts: HOSTS,
    few: true,
    pairings: {
      'thick to thin': { from: THICK_A, to: FAST_B, way: COPIED },
      'thin to thick': { from: FAST_A, to: THICK_A, way: COPIED },
      'file to thin': { from: FILE_A, to: FAST_B, way: COPIED, also: staysThin('vgb', FAST_B) },
      'thin to file': { from: FAST_B, to: FILE_A, way: COPIED },
    },
  });

  it('nobody has the metadata of a thin pool reserved in the end', async () => {
    expect(await reservedMetadata()).toEqual([]);
  });
});
