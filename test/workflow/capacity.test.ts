import { describe, expect, it } from 'vitest';
import { reserveCapacity } from '../../domain/host/capacity.ts';
import { beat } from '../../domain/host/host.ts';
import { availableBytes } from '../../domain/host/pool.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { copyPoolReports } from '../../functions/upkeep/pools.ts';
import { aHost, aPoolReport, MIGRATION_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, POOL_B, type Rig } from '../helpers/rig.ts';
import { ROLLBACK, walkTo } from './walk.ts';

/** What two migrations may count on, while reports of the pool come when they come. */

const available = async ({ deps }: Rig): Promise<number> => {
  const pool = await deps.store.pools.get(POOL_B);
  return pool ? availableBytes(pool) : 0;
};
const beats = async (
  { deps, clock }: Rig,
  hostId: string,
  poolId: string,
  freeBytes: number,
  growing?: Record<string, number>,
): Promise<void> => {
  const [backend] = aHost(hostId).backends;
  if (!backend) throw new Error('It has no backend.');
  const backends = [
    { ...backend, pools: [aPoolReport({ poolId, freeBytes: Math.floor(freeBytes), ...(growing ? { growing } : {}) })] },
  ];
  await deps.store.hosts.apply([hostId], beat({ incarnation: `${hostId}-1`, backends, nowMs: clock.nowMs() }));
};

describe('the space that a migration has filled', () => {
  it('is not given away between its end and the next report of the pool', async () => {
    const rig = await createRig();
    await beats(rig, 'host-b', POOL_B, GIB + 5);
    await copyPoolReports(rig.deps);
    rig.clock.advanceMs(1_000);

    await walkTo(rig);
    // upkeep comes again, and the host has not beaten since
    await copyPoolReports(rig.deps);

    expect((await rig.migration()).stage.state).toBe('succeeded');
    expect(await available(rig)).toBe(5);
    const next = rig.deps.store.pools.apply([POOL_B], reserveCapacity('next', GIB, 'host-b@files#ssd'));
    expect((await refusalOf(next)).code).toBe('CapacityShort');
  });

  it('is what the next report says that it is', async () => {
    const rig = await createRig();
    await beats(rig, 'host-b', POOL_B, 2 * GIB);
    await copyPoolReports(rig.deps);
    rig.clock.advanceMs(1_000);
    await walkTo(rig);

    rig.clock.advanceMs(1_000);
    // the volume is mostly holes
    await beats(rig, 'host-b', POOL_B, 2 * GIB - 7);
    await copyPoolReports(rig.deps);

    expect(await available(rig)).toBe(2 * GIB - 7);
  });

  it('is free at once when the migration has failed: what it has made goes', async () => {
    const rig = await createRig();
    await beats(rig, 'host-b', POOL_B, 2 * GIB);
    await copyPoolReports(rig.deps);

    await walkTo(rig, undefined, ROLLBACK);

    expect((await rig.migration()).stage.state).toBe('failed');
    expect(await available(rig)).toBe(2 * GIB);
  });
});

describe('the space that a copy has filled so far', () => {
  /** The copy of a volume of 1 GiB is under way in a pool that had 3 GiB, and has written three quarters. */
  const inMidCopy = async (): Promise<Rig> => {
    const rig = await createRig();
    await beats(rig, 'host-b', POOL_B, 3 * GIB);
    await copyPoolReports(rig.deps);
    await walkTo(rig, 'agent ends data.copy');
    rig.clock.advanceMs(1_000);
    await beats(rig, 'host-b', POOL_B, 3 * GIB - 0.75 * GIB, { [MIGRATION_ID]: 0.25 * GIB });
    await copyPoolReports(rig.deps);
    return rig;
  };

  it('is not counted twice, as reserved and as no longer free: a second migration that fits is let in', async () => {
    const rig = await inMidCopy();

    expect(await available(rig)).toBe(2 * GIB);
    const next = reserveCapacity('next', 2 * GIB, 'host-b@files#ssd');
    expect((await rig.deps.store.pools.apply([POOL_B], next)).wrote).toBe(true);
    expect(await available(rig)).toBe(0);
  });

  it('leaves the rest of the copy its own: one that does not fit beside it is refused', async () => {
    const rig = await inMidCopy();

    const next = rig.deps.store.pools.apply([POOL_B], reserveCapacity('next', 2 * GIB + 1, 'host-b@files#ssd'));

    expect((await refusalOf(next)).code).toBe('CapacityShort');
  });

  it('is taken for reserved again while nobody tells, as during the read-back', async () => {
    const rig = await inMidCopy();
    rig.clock.advanceMs(1_000);
    await beats(rig, 'host-b', POOL_B, 2 * GIB);

    await copyPoolReports(rig.deps);

    expect(await available(rig)).toBe(GIB);
  });

  it('is told by the host that serves the destination, also when another has spoken since', async () => {
    const rig = await inMidCopy();
    rig.clock.advanceMs(1_000);
    await beats(rig, 'host-c', POOL_B, 2.2 * GIB);

    await copyPoolReports(rig.deps);

    expect(await available(rig)).toBe(Math.floor(2.2 * GIB) - 0.25 * GIB);
  });
});

describe('a pool that two hosts serve', () => {
  it('is as the host saw it that spoke last, whatever order they are listed in', async () => {
    for (const last of ['host-b', 'host-c']) {
      const rig = await createRig();
      const first = last === 'host-b' ? 'host-c' : 'host-b';
      await beats(rig, first, POOL_B, 90 * GIB);
      rig.clock.advanceMs(1_000);
      await beats(rig, last, POOL_B, 3 * GIB);

      await copyPoolReports(rig.deps);
      await copyPoolReports(rig.deps);

      expect(await available(rig)).toBe(3 * GIB);
    }
  });

  it('reserves one space for both', async () => {
    const rig = await createRig();
    await beats(rig, 'host-b', POOL_B, GIB);
    await beats(rig, 'host-c', POOL_B, GIB);
    await copyPoolReports(rig.deps);
    await walkTo(rig, 'agent ends destination.prepare');

    const other = rig.deps.store.pools.apply([POOL_B], reserveCapacity('other', 1, 'host-c@files#ssd'));

    expect((await refusalOf(other)).code).toBe('CapacityShort');
  });
});
