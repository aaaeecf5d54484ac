import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../host-agent/config.ts';
import { lvmProblem } from '../../../host-agent/drivers/lvm/probe.ts';

describe('the version of LVM', () => {
  it.each(['2.02.158(2)', '2.02.187', '2.03.16(2) (2022-05-18)', '3.0.0'])('%s is new enough', (version) => {
    expect(lvmProblem(`  LVM version:     ${version}\n  Library version: 1.02.185\n`)).toBeUndefined();
  });

  it.each(['2.02.157(2)', '1.99.999', '2.01.200'])('%s is too old, and the one that is needed is said', (version) => {
    const problem = lvmProblem(`  LVM version:     ${version}\n`);

    expect(problem?.code).toBe('ProgramUnfit');
    expect(problem?.message).toContain('2.2.158 or newer');
  });

  it('that cannot be told is unfit', () => {
    expect(lvmProblem('')?.message).toContain('unknown version');
  });
});

describe('a backend of driver lvm in the configuration', () => {
  const config = (pool: object): unknown => ({
    host_id: 'alpha',
    data_dir: '/var/lib/volmove',
    backends: [{ name: 'lvm', driver: 'lvm', pools: [{ name: 'fast', vg: 'vg0', ...pool }] }],
  });

  it('has limits that it does not name', () => {
    expect(parseConfig(config({ thin_pool: 'pool' })).backends[0]).toMatchObject({
      driver: 'lvm',
      command_timeout_seconds: 60,
      pools: [{ max_over_subscription_ratio: 20, full_at_percent: { data: 95, metadata: 95 }, allow_unzeroed: false }],
    });
  });

  it.each([
    ['pools.0.vg', { vg: '-a' }],
    ['pools.0.thin_pool', { thin_pool: 'a/b' }],
    ['max_over_subscription_ratio', { max_over_subscription_ratio: 0.5 }],
    ['full_at_percent.data', { full_at_percent: { data: 101 } }],
    ['thinpool', { thinpool: 'pool' }],
  ])('is refused with what is wrong: %s', (where, pool) => {
    expect(() => parseConfig(config(pool))).toThrow(where);
  });
});
