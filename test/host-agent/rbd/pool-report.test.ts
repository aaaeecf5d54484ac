import { describe, expect, it } from 'vitest';
import { clusterOf } from '../../../host-agent/drivers/rbd/cluster.ts';
import { clusterViews } from '../../../host-agent/drivers/rbd/cluster-view.ts';
import type { Commands } from '../../../host-agent/drivers/rbd/commands.ts';
import { imagesOf } from '../../../host-agent/drivers/rbd/images.ts';
import { poolReportsOf } from '../../../host-agent/drivers/rbd/pool-report.ts';

/** What is reported of a pool while the cluster counts, before it has, and when nobody does. */

const NEVER = new AbortController().signal;
const BACKEND = {
  name: 'ceph',
  conf: '/nonexistent/ceph.conf',
  timeout_seconds: 5,
  require_encryption: false,
  pools: [{ name: 'main', pool: 'fast' }],
};
const HEAD = ['{"fsid":"9fb560af-053e-4872-b3d5-e53cc37ce632"}', '[{"poolnum":1,"poolname":"fast"}]'];
const HEALTHY = '{"checks":{}}';
const NO_MANAGER = '{"checks":{"MGR_DOWN":{}}}';
const COUNTED =
  '{"stats":{"total_bytes":4096},"pools":[{"name":"fast","id":1,"stats":{"stored":10,"max_avail":90,"quota_bytes":0}}]}';
const NEW_POOL = '{"stats":{"total_bytes":4096},"pools":[]}';
const NO_COUNT = '{"stats":{"total_bytes":0},"pools":[]}';

type Answer = readonly [health: string, df: string];

/** The cluster's answers one after the other, the last one again and again. */
const reporting = (answers: readonly Answer[], betweenMs = 0) => {
  let asked = 0;
  let nowMs = 0;
  const commands = {
    ceph: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
      return { exitCode: 0, stdout: [...HEAD, ...answer].join('\n'), stderr: '' };
    },
    rbd: async () => ({ exitCode: 0, stdout: '[]', stderr: '' }),
  } as unknown as Commands;
  const knownPools = { idOf: () => undefined, remember: async () => undefined };
  const views = clusterViews(BACKEND, commands, () => nowMs);
  const images = imagesOf(commands, BACKEND.timeout_seconds);
  const cluster = clusterOf(BACKEND, views, knownPools);
  const reports = poolReportsOf({ backend: BACKEND, views, cluster, images, knownPools, monotonicMs: () => 0 });
  return async () => {
    nowMs += betweenMs;
    const [report] = await reports.all(NEVER);
    return report && [report.state, report.state === 'up' ? report.freeBytes : report.reason];
  };
};

describe('the report of a pool', () => {
  it('says of one that was not counted yet that it was not, asks again at once, and has its figures then', async () => {
    const report = reporting([
      [HEALTHY, NEW_POOL],
      [HEALTHY, COUNTED],
    ]);

    expect(await report()).toEqual(['offline', expect.stringContaining('not counted its space yet')]);
    expect(await report()).toEqual(['up', 90]);
  });

  it('keeps the last figures while a manager that has just begun counts', async () => {
    const report = reporting(
      [
        [HEALTHY, COUNTED],
        [HEALTHY, NO_COUNT],
      ],
      60_000,
    );

    expect([await report(), await report()]).toEqual([
      ['up', 90],
      ['up', 90],
    ]);
  });

  it('takes no figures for true that nobody counts', async () => {
    const report = reporting([[NO_MANAGER, COUNTED]]);

    expect(await report()).toEqual(['offline', expect.stringContaining('no active manager')]);
  });
});
