import { describe, expect, it, onTestFinished } from 'vitest';
import type { Extent } from '../../../domain/block-device.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { openDriver } from './driver.ts';
import { attempt, lvs, sh } from './group.ts';
import { create, everyByte, MIB, NEVER, object, opened, thinRig, usedPercent } from './rig.ts';

describe('a thin pool', () => {
  it('promises no more than its ratio', async () => {
    const { driver } = await thinRig({ dataMib: 100, pool: { max_over_subscription_ratio: 2 } });
    await create(driver, 150, 'a');

    const error = await refusalOf(create(driver, 60, 'b'));
    await create(driver, 50, 'c');

    expect(error.code).toBe('NoSpace');
    expect(error.message).toContain('max_over_subscription_ratio of 2');
  });

  it('takes nothing more at its limit, says so, and is written to again once it was extended', async () => {
    const { vg, driver } = await thinRig({ dataMib: 100, pool: { full_at_percent: { data: 90 } } });
    await create(driver, 200);
    const device = await opened(driver, 'rw');
    const piece = Buffer.alloc(MIB, 7);
    let written = 0;
    const failure = await thrownBy(
      (async () => {
        for (; written < 200; written += 1) await device.write(written * MIB, piece);
      })(),
    );
    const [full] = await driver.pools(NEVER);
    const refused = await refusalOf(create(driver, 1, 'another'));
    // what is mapped already takes no space
    await device.write(0, piece);
    await sh('lvextend', '-y', '-L', '+100M', `${vg}/pool`);
    await device.write(written * MIB, piece);

    expect(failure.name).toBe('NoSpace');
    expect(written).toBe(90);
    expect(full).toMatchObject({ state: 'up', freeBytes: 0 });
    expect(refused.code).toBe('NoSpace');
    expect(refused.message).toContain('90.0 % full');
    expect((await driver.pools(NEVER))[0]?.freeBytes).toBeGreaterThan(0);
  });

  it('counts whole chunks, however little of each is written, also before another program writes', async () => {
    const { vg, driver } = await thinRig({
      dataMib: 64,
      options: ['-c', '1M'],
      pool: { full_at_percent: { data: 75 } },
    });
    await create(driver, 200);
    const { device, requireSpace } = await driver.open(object(), 'rw', NEVER);
    onTestFinished(() => device.close());
    const chunks = async function* (count: number): AsyncGenerator<Extent> {
      for (let i = 0; i < count; i += 1) yield { offset: i * MIB, lengthBytes: 4096, kind: 'data' };
    };
    await requireSpace?.(chunks(20), NEVER);
    const refused = await thrownBy(requireSpace?.(chunks(49), NEVER) ?? Promise.resolve());
    let written = 0;
    const failure = await thrownBy(
      (async () => {
        for (; written < 200; written += 1) await device.write(written * MIB, Buffer.alloc(4096, 7));
      })(),
    );

    expect([refused.name, failure.name]).toEqual(['NoSpace', 'NoSpace']);
    expect(written).toBe(48);
    expect(await usedPercent(vg)).toBe(75);
  });

  it('that others have filled to the last block is offline with the reason, and what is written ends in NoSpace', async () => {
    const { vg, driver } = await thinRig({ dataMib: 64, options: ['--errorwhenfull', 'y'] });
    await create(driver, 200);
    const device = await opened(driver, 'rw');
    await device.write(0, Buffer.alloc(MIB, 7));
    await device.flush();
    await sh('lvcreate', '-y', '-V', '200M', '-T', `${vg}/pool`, '-n', 'greedy');
    await attempt('dd', 'if=/dev/zero', `of=/dev/${vg}/greedy`, 'bs=1M', 'count=100', 'oflag=direct');

    // whoever looked a moment ago lets the write through; it has not been made before it is flushed
    const writtenThrough = async (): Promise<void> => {
      await device.write(100 * MIB, Buffer.alloc(MIB, 7));
      await device.flush();
    };
    const failure = await thrownBy(writtenThrough());
    const [pool] = await driver.pools(NEVER);

    expect(failure.name).toBe('NoSpace');
    expect(pool?.state).toBe('offline');
    expect(pool?.reason).toContain('out of data space');
    // what is there is still read, and can be moved away
    const content = Buffer.alloc(MIB);
    await (await opened(driver, 'ro')).read(0, content);
    expect(everyByte(content, 7)).toBe(true);
    const [[objectId = ''] = []] = await lvs(`${vg}/greedy`, 'lv_uuid');
    expect(await driver.remove({ ...object('greedy'), objectId }, NEVER)).toBe(true);
  });

  it('whose metadata is at its limit takes nothing more', async () => {
    const { driver, vg } = await thinRig({ pool: { full_at_percent: { metadata: 5 } } });
    expect(await usedPercent(vg, 'metadata_percent')).toBeGreaterThan(5);

    const error = await refusalOf(create(driver, 1));

    expect(error.code).toBe('NoSpace');
    expect(error.message).toMatch(/metadata is [\d.]+ % full .*--poolmetadatasize/);
    expect((await driver.pools(NEVER))[0]?.freeBytes).toBe(0);
  });

  it('that does not zero new blocks is refused unless it is taken knowingly, and nothing in it is called zero', async () => {
    const { vg, driver, again } = await thinRig({ options: ['-Zn'] });
    const taken = await openDriver([{ name: 'main', vg, thin_pool: 'pool', allow_unzeroed: true }]);

    const [problem] = await driver.probe(NEVER);
    const made = await create(await again(), 8);
    const device = await opened(driver, 'rw');
    await device.writeZeroes(0, 4 * MIB);

    expect(problem?.problem).toContain('does not zero new blocks');
    expect(await taken.probe(NEVER)).toEqual([]);
    expect(made.zero).toBe(false);
    expect(await driver.allocatedBytes?.(object())).toBe(4 * MIB);
    await device.close();
    const { objectId } = made;
    expect(await driver.removable({ ...object(), objectId }, NEVER)).toEqual({ thin: false, onlyData: true });
  });
});
