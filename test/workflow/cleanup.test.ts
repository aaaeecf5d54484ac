import { describe, expect, it } from 'vitest';
import { NEEDS_YOU_AFTER_TRIES, removalJobId } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { isClosed } from '../../domain/migration/migration.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { recordCleanup } from '../../functions/workflow/steps/record-cleanup.ts';
import { SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { createRig, endJob, type Rig, RUN_1 } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

/** What is left after a migration goes in the end, and whoever has to know is told once. */

const busy = volmoveError('ObjectBusy', { object: SOURCE_OBJECT.objectName, reason: 'mapped' }).toFailure();
const pass = ({ deps }: Rig) => sweep(deps)({ full: false });
const told = ({ notifier }: Rig): string[] =>
  notifier.told.flatMap(({ detail }) => (detail.event_type === 'volume.migrate.cleanup' ? [detail.result] : []));
const entry = async (rig: Rig) => {
  const [first] = (await rig.migration()).cleanup;
  if (!first) throw new Error('nothing is in cleanup');
  return first;
};
const jobOfTry = async (rig: Rig) => {
  const now = await entry(rig);
  return rig.deps.store.jobs.get('host-a', removalJobId(now, now.tries));
};

/** Time passes until the next try is due, and the sweeper comes twice: to hear of the last try, and to make the next. */
const nextTry = async (rig: Rig): Promise<void> => {
  await pass(rig);
  rig.clock.advanceMs(11 * 60_000);
  await pass(rig);
};

const failTry = async (rig: Rig): Promise<void> => {
  const now = await entry(rig);
  await endJob(rig, 'host-a', removalJobId(now, now.tries), { failure: busy });
};

const removing = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'agent removes');
  return rig;
};

describe('a removal that fails', () => {
  it('is tried again as a new job, not before its time', async () => {
    const rig = await removing();
    rig.clock.advanceMs(60_000);
    await failTry(rig);
    rig.clock.advanceMs(1_000);

    await pass(rig);
    const tooEarly = await entry(rig);
    await nextTry(rig);
    const due = await entry(rig);

    expect(tooEarly).toMatchObject({ tries: 1, state: 'todo', lastFailure: busy });
    expect(due.tries).toBe(2);
    expect(await jobOfTry(rig)).toMatchObject({ kind: 'object.remove', stage: { state: 'queued' } });
  });

  it('is waited for while it is on its way: no second job beside it', async () => {
    const rig = await removing();

    await nextTry(rig);
    await nextTry(rig);

    expect((await entry(rig)).tries).toBe(1);
  });

  it('never undoes the success', async () => {
    const rig = await removing();
    await failTry(rig);

    await recordCleanup(rig.deps)(RUN_1);

    expect((await rig.migration()).stage.state).toBe('succeeded');
    expect(await rig.volume()).toMatchObject({ migrationStatus: 'success', status: 'available' });
  });

  it('asks for a person once, after some tries, and says what is left where and why', async () => {
    const rig = await removing();

    for (let n = 0; n < NEEDS_YOU_AFTER_TRIES + 2; n++) {
      await failTry(rig);
      await nextTry(rig);
    }

    expect(told(rig)).toEqual(['needs_you']);
    const event = rig.notifier.told.at(-1)?.detail;
    expect(event).toMatchObject({
      result: 'needs_you',
      left: [{ object: SOURCE_OBJECT.objectName, host: 'host-a@files#ssd', reason: busy.message }],
    });
  });

  it('asks for nobody while its last try is still under way', async () => {
    const rig = await removing();
    for (let n = 1; n < NEEDS_YOU_AFTER_TRIES; n++) {
      await failTry(rig);
      await nextTry(rig);
    }

    const before = told(rig);
    await failTry(rig);
    await pass(rig);

    expect(before).toEqual([]);
    expect((await entry(rig)).tries).toBe(NEEDS_YOU_AFTER_TRIES);
    expect(told(rig)).toEqual(['needs_you']);
  });

  it('goes on also when the job of its last try is off the list long since', async () => {
    const rig = await removing();
    await failTry(rig);
    await recordCleanup(rig.deps)(RUN_1);
    await rig.deps.store.jobs.remove(['host-a', removalJobId(await entry(rig), 1)], () => true);

    await nextTry(rig);
    await endJob(rig, 'host-a', removalJobId(await entry(rig), 2), { result: { existed: true } });
    await nextTry(rig);

    expect(await entry(rig)).toMatchObject({ state: 'done', tries: 2 });
  });

  it('and succeeds in the end is told as done, once, and closes the migration', async () => {
    const rig = await removing();
    for (let n = 0; n < NEEDS_YOU_AFTER_TRIES; n++) {
      await failTry(rig);
      await nextTry(rig);
    }
    const { tries } = await entry(rig);
    await endJob(rig, 'host-a', removalJobId(await entry(rig), tries), { result: { existed: true } });

    await nextTry(rig);
    await nextTry(rig);
    await recordCleanup(rig.deps)(RUN_1);

    expect(told(rig)).toEqual(['needs_you', 'done']);
    expect(await entry(rig)).toMatchObject({ state: 'done', lastFailure: null });
    expect(isClosed(await rig.migration())).toBe(true);
    expect((await rig.deps.store.open()).migrations).toEqual([]);
  });
});

describe('a failure that is heard late', () => {
  it('is not taken for that of the try after it', async () => {
    const rig = await removing();
    rig.clock.advanceMs(60_000);
    await failTry(rig);
    const { migrations } = rig.deps.store;
    let meanwhile: Promise<void> | undefined;
    const slow = {
      ...rig.deps,
      store: {
        ...rig.deps.store,
        migrations: {
          ...migrations,
          apply: async (...asked: Parameters<typeof migrations.apply>) => {
            meanwhile ??= nextTry(rig);
            await meanwhile;
            return migrations.apply(...asked);
          },
        },
      },
    };

    await recordCleanup(slow)(RUN_1);
    await endJob(rig, 'host-a', removalJobId(await entry(rig), 2), { result: { existed: true } });
    await nextTry(rig);
    await nextTry(rig);

    expect(await entry(rig)).toMatchObject({ state: 'done', tries: 2 });
    expect(told(rig)).toEqual(['done']);
  });
});

describe('a try whose writer died', () => {
  it('after the count and before the job is made good by the next pass', async () => {
    const rig = await removing();
    const now = await entry(rig);
    await rig.deps.store.jobs.remove(['host-a', removalJobId(now, 1)], () => true);

    await nextTry(rig);

    expect((await entry(rig)).tries).toBe(1);
    expect(await jobOfTry(rig)).toMatchObject({ stage: { state: 'queued' } });
  });
});

describe('the end of the cleanup', () => {
  it('is told once, whoever notices it: the execution, the sweeper, or both at once', async () => {
    const rig = await removing();
    await endJob(rig, 'host-a', removalJobId(await entry(rig), 1), { result: { existed: true } });
    rig.clock.advanceMs(60_000);

    await Promise.all([recordCleanup(rig.deps)(RUN_1), pass(rig), pass(rig), recordCleanup(rig.deps)(RUN_1)]);

    expect(told(rig)).toEqual(['done']);
  });

  it('is not told of a migration that left nothing', async () => {
    const rig = await createRig({ options: { sourceRetentionSeconds: 3_600 } });
    await walkTo(rig);

    await nextTry(rig);

    expect(told(rig)).toEqual([]);
  });
});

describe('a kept source', () => {
  it('stays until its time is over, then goes like any other', async () => {
    const rig = await createRig({ options: { sourceRetentionSeconds: 3_600 } });
    await walkTo(rig);
    rig.clock.advanceMs(3_599_000);
    await pass(rig);
    const before = await rig.volume();
    rig.clock.advanceMs(2_000);
    for (const id of ['host-a', 'host-b']) {
      await rig.deps.store.hosts.apply([id], (host) => ({
        kind: 'write',
        next: { ...host, heartbeatAtMs: rig.clock.nowMs() },
      }));
    }

    await pass(rig);
    await pass(rig);
    const after = await rig.volume();

    expect(before.retained.map(({ object }) => object)).toEqual([SOURCE_OBJECT]);
    expect(after.retained).toEqual([]);
    expect(await entry(rig)).toMatchObject({ objectName: SOURCE_OBJECT.objectName, role: 'source', tries: 1 });
  });

  it('has its cleanup entry before it leaves what the volume keeps', async () => {
    const rig = await createRig({ options: { sourceRetentionSeconds: 1 } });
    await walkTo(rig);
    rig.clock.advanceMs(5_000);
    const { volumes } = rig.deps.store;
    const dies = {
      ...rig.deps,
      store: { ...rig.deps.store, volumes: { ...volumes, apply: () => Promise.reject(new Error('dead')) } },
    };

    const swept = await sweep(dies)({ full: false });

    expect(swept.problems.map(({ id }) => id)).toContain(VOLUME_ID);
    expect(await entry(rig)).toMatchObject({ objectName: SOURCE_OBJECT.objectName, state: 'todo' });
    expect((await rig.volume()).retained).toHaveLength(1);
  });
});
