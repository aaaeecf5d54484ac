import { describe, expect, it } from 'vitest';
import { removalJobId } from '../../domain/cleanup.ts';
import { wishPriority } from '../../domain/migration/wishes.ts';
import { adjustMigration } from '../../functions/api/migrations/adjust.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { MIGRATION_ID, SOURCE_OBJECT } from '../helpers/factories.ts';
import { createRig, HOST_OF, jobId, type Rig } from '../helpers/rig.ts';
import { SUCCESS, walkTo } from './walk.ts';

const priorityAt = async ({ deps }: Rig, kind: 'data.copy' | 'data.verify') =>
  (await deps.store.jobs.get(HOST_OF[kind], jobId(kind)))?.control.priority;

const stepsFrom = (name: string) => SUCCESS.slice(SUCCESS.findIndex((step) => step.name === name));

describe('the priority of a migration', () => {
  it('that was asked for at first goes with every job that handles its bytes, and with none that prepares or removes', async () => {
    const rig = await createRig({ options: { priority: 'high' } });

    await walkTo(rig);

    expect([await priorityAt(rig, 'data.copy'), await priorityAt(rig, 'data.verify')]).toEqual(['high', 'high']);
    const prepare = await rig.deps.store.jobs.get('host-b', jobId('destination.prepare'));
    const remove = await rig.deps.store.jobs.get('host-a', removalJobId({ ...SOURCE_OBJECT, role: 'source' }, 1));
    expect([prepare, remove].map((job) => job && 'priority' in job.control)).toEqual([false, false]);
    expect((await rig.migration()).stage.state).toBe('succeeded');
  });

  it("that is changed before the copy is the copy's from its beginning", async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    await adjustMigration(rig.deps)(MIGRATION_ID, wishPriority('low', 'ann', rig.clock.nowMs()));

    await walkTo(rig, 'agent ends data.copy', stepsFrom('CopyData'));

    expect(await priorityAt(rig, 'data.copy')).toBe('low');
  });

  it("that is changed while the copy waits is the copy's at once, and the read-back's later", async () => {
    const rig = await createRig({ options: { priority: 'low' } });
    await walkTo(rig, 'agent ends data.copy');
    const before = await priorityAt(rig, 'data.copy');

    await adjustMigration(rig.deps)(MIGRATION_ID, wishPriority('high', 'ann', rig.clock.nowMs()));
    const after = await priorityAt(rig, 'data.copy');
    await walkTo(rig, undefined, stepsFrom('agent ends data.copy'));

    expect([before, after, await priorityAt(rig, 'data.verify')]).toEqual(['low', 'high', 'high']);
  });

  it('that a dying API has left at the migration is carried to its job by the sweeper', async () => {
    const rig = await createRig();
    await walkTo(rig, 'agent ends data.copy');
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishPriority('high', 'ann', rig.clock.nowMs()));

    await sweep(rig.deps)({ full: false });

    expect(await priorityAt(rig, 'data.copy')).toBe('high');
  });
});
