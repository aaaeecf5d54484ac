import { describe, expect, it } from 'vitest';
import { parseGroup } from '../../../host-agent/drivers/lvm/report.ts';
import {
  brokenPool,
  parseExternalOrigin,
  parseThinPoolStatus,
  parseThinStatus,
  spaceProblem,
  type ThinSpace,
} from '../../../host-agent/drivers/lvm/space.ts';
import { createSpaceGuard } from '../../../host-agent/drivers/lvm/space-guard.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { REPORT } from './recorded.ts';

const RW = '0 614400 thin-pool 2 113/1024 160/4800 - rw no_discard_passdown queue_if_no_space - 256 ';
const LIMITS = { data: 95, metadata: 95 };

const spaceOf = (line: string): ThinSpace => {
  const space = parseThinPoolStatus(line);
  if (!space) throw new Error('It is the status of a thin pool.');
  return space;
};

describe('the kernel’s word of a thin pool', () => {
  it('tells blocks, metadata and who holds its snapshot', () => {
    expect(spaceOf(RW)).toMatchObject({ usedDataBlocks: 160, totalDataBlocks: 4800, mode: 'rw', heldRoot: null });
    expect(spaceOf(RW.replace(' - rw', ' 33 rw')).heldRoot).toBe('33');
    expect(spaceProblem(spaceOf(RW), LIMITS)).toBeUndefined();
  });

  it.each([
    ['full', 'out of data space', RW.replace('160/4800', '4800/4800').replace(' rw ', ' out_of_data_space ')],
    ['ill', 'read-only', RW.replace(' rw ', ' ro ')],
    ['ill', 'needs a check', RW.replace('queue_if_no_space -', 'queue_if_no_space needs_check')],
    ['ill', 'has failed', '0 614400 thin-pool Fail'],
    ['full', 'metadata is 95.0 % full', RW.replace('113/1024', '973/1024')],
    ['full', 'it is 95.0 % full', RW.replace('160/4800', '4560/4800')],
  ])('says when nothing more is taken, %s: %s', (kind, why, line) => {
    expect(spaceProblem(spaceOf(line), LIMITS)).toMatchObject({ kind, why: expect.stringContaining(why) });
  });

  it.each([
    ['full', 'out of data space', { health: 'out_of_data' }],
    ['ill', 'needs a check', { checkNeeded: true }],
    ['ill', 'out of metadata space', { health: 'metadata_read_only' }],
    ['ill', 'failed', { health: 'failed' }],
  ])('is the same in LVM’s words, %s: %s', (kind, why, told) => {
    const [pool] = parseGroup(REPORT)?.volumes ?? [];

    expect(pool && brokenPool(pool)).toBeUndefined();
    expect(pool && brokenPool({ ...pool, ...told })).toMatchObject({ kind, why: expect.stringContaining(why) });
  });

  it('tells of a thin volume whether what is not mapped of it lies elsewhere', () => {
    expect(parseExternalOrigin('0 1048576 thin 253:2 1')).toBe(false);
    expect(parseExternalOrigin('0 1048576 thin 253:2 1 253:7')).toBe(true);
    expect(parseExternalOrigin('0 1048576 linear 253:2 0')).toBeUndefined();
  });

  it('is no status of a pool when it is of something else', () => {
    expect(parseThinPoolStatus('0 131072 linear ')).toBeUndefined();
    expect(parseThinStatus('0 131072 linear ')).toBeUndefined();
    expect(parseThinStatus('0 1048576 thin 20480 34815')).toBe(20_480 * 512);
    expect(parseThinStatus('0 1048576 thin 0 -')).toBe(0);
    expect(parseThinStatus('0 1048576 thin Fail')).toBeUndefined();
  });
});

describe('the guard of a pool’s space', () => {
  const guardOf = (
    used: () => number,
    clock: () => number = () => 0,
    settle = async (): Promise<void> => undefined,
  ) => {
    let looks = 0;
    const guard = createSpaceGuard({
      space: async () => {
        looks += 1;
        return { ...spaceOf(RW), usedDataBlocks: used(), totalDataBlocks: 100 };
      },
      blockBytes: 10,
      dataLimitPercent: 90,
      problem: (space) => spaceProblem(space, { data: 90, metadata: 90 }),
      settle,
      refusal: ({ kind, why }) => new Error(`${kind}: ${why}`),
      monotonicMs: clock,
    });
    return { guard, looks: () => looks };
  };

  it('looks again only when what it knew to be left is used up', async () => {
    const { guard, looks } = guardOf(() => 50);

    for (let i = 0; i < 40; i += 1) await guard.admit(10, undefined);
    const before = looks();
    await guard.admit(10, undefined);

    expect([before, looks()]).toEqual([1, 2]);
  });

  it('refuses what would go over the limit, with what is left', async () => {
    const { guard } = guardOf(() => 89);

    await guard.admit(10, undefined);

    expect((await thrownBy(guard.admit(11, undefined))).message).toContain('has 10 bytes left');
  });

  it('sees after a few seconds that others have filled the pool, and that it was extended', async () => {
    let used = 10;
    let nowMs = 0;
    const { guard } = guardOf(
      () => used,
      () => nowMs,
    );
    await guard.admit(10, undefined);
    used = 95;
    await guard.admit(10, undefined);
    nowMs = 5_000;

    const full = await thrownBy(guard.admit(10, undefined));
    used = 20;
    await guard.admit(10, undefined);

    expect(full.message).toContain('95.0 % full');
  });

  it('counts what is on its way to the pool as taken, until it is there', async () => {
    let written = 0;
    let used = 0;
    const { guard } = guardOf(
      () => used,
      () => 0,
      async () => {
        used = written;
      },
    );
    const failure = await thrownBy(
      (async () => {
        for (;;) {
          await guard.admit(10, undefined);
          written += 1;
        }
      })(),
    );

    expect(written).toBe(90);
    expect(failure.message).toContain('90.0 % full');
  });
});
