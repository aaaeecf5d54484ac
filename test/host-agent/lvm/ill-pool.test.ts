import { describe, expect, it } from 'vitest';
import { createVolume } from '../../../host-agent/drivers/lvm/create.ts';
import { reportPools } from '../../../host-agent/drivers/lvm/pool-report.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { aVolume, fakeGroup, NAME } from './fake-group.ts';

const NEVER = new AbortController().signal;
const groupWith = (told: object) =>
  fakeGroup([{ ...aVolume({ lv_name: 'pool', lv_uuid: 'pool', lv_tags: '', segtype: 'thin-pool' }), ...told }], {
    pool: { thin_pool: 'pool' },
  });
const create = ({ parts, pool }: ReturnType<typeof fakeGroup>) =>
  createVolume(parts, pool, { pool: 'main', objectName: NAME, sizeBytes: 1024 * 1024 }, NEVER);

describe('a thin pool', () => {
  it.each([
    ['needs a check', { lv_check_needed: 'check needed' }],
    ['is out of metadata space', { lv_health_status: 'metadata_read_only', metadata_percent: '100.00' }],
    ['has failed', { lv_health_status: 'failed' }],
  ])('that %s is offline, and not full: it says how it is repaired, and nothing is made in it', async (_what, told) => {
    const group = groupWith({ ...told, data_percent: '99.00' });

    const error = await refusalOf(create(group));
    const [report] = await reportPools(group.parts, [group.pool], NEVER);

    expect(error.code).toBe('BackendOffline');
    expect(error.message).toContain('lvchange -an fake-group/pool, then lvconvert --repair fake-group/pool');
    expect(report).toMatchObject({ state: 'offline', reason: expect.stringContaining('lvconvert --repair') });
    expect(group.asked).not.toContain('lvcreate');
  });

  it.each([
    ['out of data space', { lv_health_status: 'out_of_data', data_percent: '100.00' }],
    ['at its limit', { data_percent: '95.00' }],
  ])('that is %s is full: more room is what it needs', async (_what, told) => {
    const group = groupWith(told);

    const error = await refusalOf(create(group));

    expect(error.code).toBe('NoSpace');
    expect(error.message).toContain('extend it with lvextend');
    expect(error.message).not.toContain('--repair');
    expect(group.asked).not.toContain('lvcreate');
  });
});
