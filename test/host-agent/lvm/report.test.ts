import { describe, expect, it } from 'vitest';
import { parseGroup } from '../../../host-agent/drivers/lvm/report.ts';
import { REPORT, REPORT_OF_A_GROUP, REPORT_OF_NONE } from './recorded.ts';

describe('LVM’s report of a group', () => {
  it('gives sizes in bytes, tags, times and each volume once, however many segments it has', () => {
    const group = parseGroup(REPORT);

    expect(group).toMatchObject({
      uuid: 'ORyi1S-TQ1P-AUn9-683X-Hqev-CGQd-pf6YAZ',
      sizeBytes: 1_069_547_520,
      freeBytes: 662_700_032,
      extentBytes: 4_194_304,
      partial: false,
      exported: false,
    });
    expect(group?.volumes.map(({ name }) => name)).toEqual(['pool', 'thin1', 'thick1', 'snap1', 'tsnap']);
    expect(group?.volumes[0]).toMatchObject({
      dataPercent: 3.33,
      metadataPercent: 10.94,
      zeroing: true,
      chunkBytes: 65_536,
    });
    expect(group?.volumes[1]).toMatchObject({
      tags: ['mine', 'volmove'],
      thinPool: 'pool',
      thinId: 1,
      madeAtMs: 1_796_055_199_000,
      open: false,
      active: true,
      checkNeeded: false,
    });
    expect(group?.volumes[3]).toMatchObject({ origin: 'thin1', active: false, open: false, dataPercent: null });
  });

  it('of a group without volumes says nothing where it is asked for volumes, and the group where it is not', () => {
    expect(parseGroup(REPORT_OF_NONE)).toBeUndefined();
    expect(parseGroup(REPORT_OF_A_GROUP)).toMatchObject({ freeBytes: 662_700_032, volumes: [] });
  });

  it('tells a group that is exported, and one that lacks a disk', () => {
    expect(parseGroup(REPORT.replaceAll('wz--n-', 'wzx-n-'))?.exported).toBe(true);
    expect(parseGroup(REPORT.replaceAll('wz--n-', 'wz-pn-'))?.partial).toBe(true);
  });

  it('is refused when it is no such report', () => {
    expect(() => parseGroup('{"report":[{"lv":[]}]}')).toThrow();
    expect(() => parseGroup('WARNING')).toThrow();
  });
});
