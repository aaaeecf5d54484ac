import { describe, expect, it } from 'vitest';
import { parseView } from '../../../host-agent/drivers/rbd/cluster-view.ts';
import { refusedAt } from './refused-at.ts';

/** As ceph 16.2.15 answered, shortened. */
const FSID = '{"fsid":"9fb560af-053e-4872-b3d5-e53cc37ce632"}';
const POOLS = '[{"poolnum":1,"poolname":"fast"},{"poolnum":2,"poolname":"slow"}]';
const HEALTHY = '{"status":"HEALTH_OK","checks":{},"mutes":[]}';
const NO_MANAGER =
  '{"status":"HEALTH_WARN","checks":{"MGR_DOWN":{"severity":"HEALTH_WARN","summary":{"message":"no active mgr","count":0},"muted":false}},"mutes":[]}';
const dfOf = (fast: object): string =>
  JSON.stringify({
    stats: { total_bytes: 4_294_967_296, total_avail_bytes: 3_990_544_384 },
    pools: [
      { name: 'fast', id: 1, stats: { stored: 1_000, objects: 3, bytes_used: 4_096, max_avail: 5_000, ...fast } },
    ],
  });
const NEVER_COUNTED = '{"stats":{"total_bytes":0,"total_avail_bytes":0,"total_used_bytes":0},"pools":[]}';

/** Blank lines between the answers, as it prints them. */
const answer = (...lines: readonly string[]): string => `\n${lines.join('\n\n')}\n`;

describe('the view of a cluster', () => {
  it('has its identity, its pools and what is free in them', () => {
    const view = parseView(answer(FSID, POOLS, HEALTHY, dfOf({ quota_bytes: 0 })));

    expect(view?.fsid).toBe('9fb560af-053e-4872-b3d5-e53cc37ce632');
    expect([...(view?.poolIds ?? [])]).toEqual([
      ['fast', 1],
      ['slow', 2],
    ]);
    expect(view?.usage?.get('fast')).toEqual({ storedBytes: 1_000, freeBytes: 5_000, quotaBytes: 0 });
  });

  it.each([
    [3_000, 2_000],
    [900_000, 5_000],
    [500, 0],
  ])('counts a quota of %i bytes: %i are free', (quota, free) => {
    const view = parseView(answer(FSID, POOLS, HEALTHY, dfOf({ quota_bytes: quota })));

    expect(view?.usage?.get('fast')?.freeBytes).toBe(free);
  });

  it('knows that nobody counts when the manager has gone, whose figures stay', () => {
    expect(parseView(answer(FSID, POOLS, NO_MANAGER, dfOf({})))).toMatchObject({ usage: undefined });
  });

  it('knows no figures yet of a manager that has just begun', () => {
    expect(parseView(answer(FSID, POOLS, HEALTHY, NEVER_COUNTED))?.usage).toEqual(new Map());
  });

  it('is none when an answer is missing', () => {
    expect(parseView(answer(FSID, POOLS))).toBeUndefined();
    expect(parseView('')).toBeUndefined();
  });

  it('is refused when the answers are of another kind than those of a Ceph that is known', () => {
    const error = refusedAt(() => parseView(answer(FSID, '{"pools":1}', HEALTHY, dfOf({}))));

    expect(error.code).toBe('ProgramUnfit');
  });
});
