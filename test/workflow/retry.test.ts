import { describe, expect, it } from 'vitest';
import { runObjectName } from '../../domain/names.ts';
import { GIB, type Volume } from '../../domain/volume/volume.ts';
import { retryMigration } from '../../functions/api/migrations/retry.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { finalize } from '../../functions/workflow/steps/finalize.ts';
import { lockVolume } from '../../functions/workflow/steps/lock-volume.ts';
import { notifyEnded } from '../../functions/workflow/steps/notify-ended.ts';
import { notifyStarted } from '../../functions/workflow/steps/notify-started.ts';
import { releaseClaim } from '../../functions/workflow/steps/release-claim.ts';
import { stopJobs } from '../../functions/workflow/steps/stop-jobs.ts';
import { validate } from '../../functions/workflow/steps/validate.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';
import { anObject, aReport, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import {
  COPIED,
  createRig,
  DESTINATION_OBJECT,
  endJob,
  entered,
  jobId,
  POOL_B,
  PREPARED,
  type Rig,
  VERIFIED,
} from '../helpers/rig.ts';
import { REASON, walkTo } from './walk.ts';

/** A migration that has failed goes on: with what its last run has copied where that was kept, else from the beginning. */

const KEEP_SECONDS = 3600;
const RUN_2 = { migrationId: MIGRATION_ID, run: 2 };
const ASK = { migrationId: MIGRATION_ID, by: 'ann' };
const failure = { code: 'NoSpace', message: 'It is full.', remedy: '' } as const;

/** Run 1 fails in mid-copy, after half of it was reported. */
const failed = async (destinationRetentionSeconds = KEEP_SECONDS): Promise<Rig> => {
  const rig = await createRig({ options: { destinationRetentionSeconds } });
  await walkTo(rig, 'agent ends data.copy');
  const { jobs } = rig.deps.store;
  const copy = await endJob(rig, 'host-a', jobId('data.copy'), { failure });
  await jobs.apply(['host-a', copy.id], (job) => ({
    kind: 'write',
    next: { ...job, progress: aReport({ doneBytes: GIB / 2 }) },
  }));
  await releaseClaim(rig.deps)({ migrationId: MIGRATION_ID, run: 1, error: REASON });
  await stopJobs(rig.deps)({ migrationId: MIGRATION_ID, run: 1 });
  await notifyEnded(rig.deps)({ migrationId: MIGRATION_ID, run: 1 });
  return rig;
};

const prepared = async (rig: Rig): Promise<void> => {
  await notifyStarted(rig.deps)(RUN_2);
  await validate(rig.deps)(RUN_2);
  await lockVolume(rig.deps)(RUN_2);
  await dispatch(rig.deps)(entered(rig, 'destination.prepare', 0, 2));
};

const copying = async (rig: Rig, result = { ...PREPARED, zero: false }): Promise<void> => {
  await prepared(rig);
  await endJob(rig, 'host-b', jobId('destination.prepare', 2), { result });
  await dispatch(rig.deps)(entered(rig, 'data.copy', 0, 2));
};

const succeed = async (rig: Rig): Promise<void> => {
  const { writeEpoch } = await rig.volume();
  await endJob(rig, 'host-a', jobId('data.copy', 2), { result: { ...COPIED, writeEpoch } });
  await dispatch(rig.deps)(entered(rig, 'data.verify', 0, 2));
  await endJob(rig, 'host-b', jobId('data.verify', 2), { result: VERIFIED });
  await finalize(rig.deps)(RUN_2);
  await notifyEnded(rig.deps)(RUN_2);
};

const jobOf = (rig: Rig, hostId: string, kind: 'destination.prepare' | 'data.copy') =>
  rig.deps.store.jobs.get(hostId, jobId(kind, 2));
const pass = async (rig: Rig): Promise<void> => {
  const { problems } = await sweep(rig.deps)({ full: false });
  expect(problems).toEqual([]);
};

describe('a retry of a run whose destination was kept', () => {
  it('goes on from its checkpoint, on the same object, to a success that removes the source alone', async () => {
    const rig = await failed();
    const before = await rig.migration();

    const retried = await retryMigration(rig.deps)(ASK);
    await copying(rig);
    const prepare = await jobOf(rig, 'host-b', 'destination.prepare');
    const copy = await jobOf(rig, 'host-a', 'data.copy');
    await succeed(rig);

    expect(before.cleanup).toEqual([]);
    expect(retried).toMatchObject({ run: 2, stage: { state: 'requested' } });
    expect(rig.executions.started.map(({ name }) => name)).toEqual([`${MIGRATION_ID}-2`]);
    expect(prepare?.input).toMatchObject({
      objectName: DESTINATION_OBJECT.objectName,
      existingId: DESTINATION_OBJECT.objectId,
    });
    expect(copy?.input).toMatchObject({
      destinationIsZero: false,
      destinationHasContent: true,
      carriesOnFrom: jobId('data.copy', 1),
      keptForSeconds: KEEP_SECONDS,
    });
    expect(await rig.volume()).toMatchObject({ location: DESTINATION_OBJECT, claim: null });
    expect((await rig.migration()).cleanup.map((e) => e.objectName)).toEqual([SOURCE_OBJECT.objectName]);
    const told = rig.notifier.told.map(({ detail }) => `${detail.event_type} ${detail.run}`);
    expect(told).toEqual(['start 1', 'end 1', 'start 2', 'end 2'].map((one) => `volume.migrate.${one}`));
    const sequences = rig.notifier.told.map(({ detail }) => detail.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  it('reserves again what is still to be written, and gives it back', async () => {
    const rig = await failed();
    const pool = async () => (await rig.deps.store.pools.get(POOL_B))?.reservedBytes;
    const between = await pool();

    await retryMigration(rig.deps)(ASK);
    await copying(rig);
    const during = await pool();
    await succeed(rig);

    expect([between, during, await pool()]).toEqual([0, GIB / 2, 0]);
  });

  it('only compares when the volume may have changed since: what is the same is not written again', async () => {
    const rig = await failed();
    await rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({
      kind: 'write',
      next: { ...volume, writeEpoch: volume.writeEpoch + 1 },
    }));

    await retryMigration(rig.deps)(ASK);
    await copying(rig);
    const copy = await jobOf(rig, 'host-a', 'data.copy');

    expect(copy?.input).toMatchObject({ writeEpoch: 1, destinationHasContent: true });
    expect(copy?.input).not.toHaveProperty('carriesOnFrom');
    expect((await rig.deps.store.pools.get(POOL_B))?.reservedBytes).toBe(GIB);
  });

  it('that fails in its turn keeps it for the next', async () => {
    const rig = await failed();
    await retryMigration(rig.deps)(ASK);
    await copying(rig);
    await endJob(rig, 'host-a', jobId('data.copy', 2), { failure });
    await releaseClaim(rig.deps)({ ...RUN_2, error: REASON });
    await notifyEnded(rig.deps)(RUN_2);

    const again = await retryMigration(rig.deps)(ASK);

    expect(again.run).toBe(3);
    expect((await rig.volume()).claim?.carriesOn).toMatchObject({ object: DESTINATION_OBJECT, run: 2 });
    expect((await rig.migration()).cleanup).toEqual([]);
  });

  it('is not disturbed by steps of the run before that wake up late', async () => {
    const rig = await failed();
    await retryMigration(rig.deps)(ASK);
    await copying(rig);
    const during = { pool: await rig.deps.store.pools.get(POOL_B), migration: await rig.migration() };

    const released = await releaseClaim(rig.deps)({ migrationId: MIGRATION_ID, run: 1, error: REASON });
    await notifyEnded(rig.deps)({ migrationId: MIGRATION_ID, run: 1 });

    expect(released.outcome).toBe('superseded');
    expect({ pool: await rig.deps.store.pools.get(POOL_B), migration: await rig.migration() }).toEqual(during);
    expect(await rig.volume()).toMatchObject({ claim: { run: 2 } });
  });
});

describe('a kept destination', () => {
  it('is removed when its time is over', async () => {
    const rig = await failed();
    await pass(rig);
    const within = (await rig.volume()).retained;

    rig.clock.advanceMs(KEEP_SECONDS * 1000);
    await pass(rig);
    await pass(rig);
    const { cleanup } = await rig.migration();
    await endJob(rig, 'host-b', `${DESTINATION_OBJECT.objectName}.1`, { result: { existed: true } });
    await pass(rig);

    expect(within).toHaveLength(1);
    expect(cleanup).toMatchObject([{ objectName: DESTINATION_OBJECT.objectName, role: 'destination', tries: 1 }]);
    expect((await rig.volume()).retained).toEqual([]);
    expect((await rig.migration()).cleanup).toMatchObject([{ state: 'done' }]);
  });

  it('is not removed while a retry goes on with it, whoever believes that its time is over', async () => {
    const rig = await failed();
    await retryMigration(rig.deps)(ASK);
    await copying(rig);

    rig.clock.advanceMs(2 * KEEP_SECONDS * 1000);
    await pass(rig);

    expect((await rig.migration()).cleanup).toEqual([]);
    expect((await rig.volume()).claim?.carriesOn?.object).toEqual(DESTINATION_OBJECT);
  });
});

describe('a retry of a run that has left nothing', () => {
  it('makes an object of its own, named with its run; what the run before made is removed as ever', async () => {
    const rig = await failed(0);

    await retryMigration(rig.deps)(ASK);
    await prepared(rig);

    const prepare = await jobOf(rig, 'host-b', 'destination.prepare');
    expect(prepare?.input).toMatchObject({ objectName: runObjectName(VOLUME_ID, MIGRATION_ID, 2) });
    expect(prepare?.input).not.toHaveProperty('existingId');
    const { cleanup, objects } = await rig.migration();
    expect(cleanup.map(({ objectName }) => objectName)).toEqual([DESTINATION_OBJECT.objectName]);
    expect(objects.map(({ run }) => run)).toEqual([1, 2]);
  });
});

describe('a retry is refused', () => {
  const changed = (change: Partial<Volume>) => (rig: Rig) =>
    rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({ kind: 'write', next: { ...volume, ...change } }));

  it.each<[string, (rig: Rig) => Promise<unknown>, string, string]>([
    [
      'is attached',
      changed({ status: 'in-use' }),
      'InvalidVolume',
      'only an available volume is moved: detach it first',
    ],
    [
      'has a connection left',
      changed({ connections: [{ id: 'c', host: 'h', atMs: 0 }] }),
      'InvalidVolume',
      'a host still has a connection to it',
    ],
    ['lives elsewhere by now', changed({ location: anObject('other') }), 'InvalidVolume', 'ask for a new migration'],
  ])('while its volume %s', async (_what, change, code, text) => {
    const rig = await failed();
    await change(rig);

    const refused = await refusalOf(retryMigration(rig.deps)(ASK));

    expect(refused.code).toBe(code);
    expect(refused.message).toContain(text);
    expect((await rig.migration()).stage.state).toBe('failed');
    expect((await rig.volume()).retained).toHaveLength(1);
  });

  it.each<[string, (rig: Rig) => Promise<unknown>, string]>([
    ['is still running', async () => undefined, 'it has not ended yet'],
    ['has succeeded', async (rig) => walkTo(rig, undefined), 'it has succeeded'],
  ])('when the migration %s', async (_what, change, text) => {
    const rig = await createRig();
    await change(rig);

    const refused = await refusalOf(retryMigration(rig.deps)(ASK));

    expect(refused).toMatchObject({ code: 'CannotRetry' });
    expect(refused.message).toContain(text);
  });

  it('when there is no room for what is still to be written', async () => {
    const rig = await failed();
    const { hosts } = rig.deps.store;
    await hosts.apply(['host-b'], (host) => ({
      kind: 'write',
      next: {
        ...host,
        backends: host.backends.map((b) => ({ ...b, pools: b.pools.map((p) => ({ ...p, freeBytes: GIB / 2 - 1 })) })),
      },
    }));

    expect((await refusalOf(retryMigration(rig.deps)(ASK))).code).toBe('CapacityShort');
  });

  it('never when it was asked for before: that run is the answer', async () => {
    const rig = await failed();
    await retryMigration(rig.deps)(ASK);
    await copying(rig);

    const again = await retryMigration(rig.deps)(ASK);

    expect(again).toMatchObject({ run: 2, stage: { state: 'running', phase: 'copying' } });
    expect(rig.executions.started).toHaveLength(1);
  });
});

/** Whoever writes for the `at`th time dies before it, or after it. */
const dyingAt = (records: Records, at: number, when: 'before' | 'after'): { records: Records; count: () => number } => {
  let writes = 0;
  const mortal = async (write: () => Promise<boolean>): Promise<boolean> => {
    writes += 1;
    if (writes === at && when === 'before') throw new Error('died');
    const done = await write();
    if (writes === at) throw new Error('died');
    return done;
  };
  return {
    count: () => writes,
    records: {
      ...records,
      put: (item, expectedRev) => mortal(() => records.put(item, expectedRev)),
      amend: (key, by, writeId) => mortal(() => records.amend(key, by, writeId)),
    },
  };
};

describe('an API that dies between any two writes of a retry', () => {
  /** Its end is not told yet, and nobody has recorded it: so the retry has everything to write. */
  const unsettled = async (): Promise<Rig> => {
    const rig = await createRig({ options: { destinationRetentionSeconds: KEEP_SECONDS } });
    await walkTo(rig, 'agent ends data.copy');
    await endJob(rig, 'host-a', jobId('data.copy'), { failure });
    await releaseClaim(rig.deps)({ migrationId: MIGRATION_ID, run: 1, error: REASON });
    return rig;
  };

  const writesOf = async (): Promise<number> => {
    const rig = await unsettled();
    const { records, count } = dyingAt(rig.records, 0, 'before');
    await retryMigration({ ...rig.deps, store: createStore(records) })(ASK);
    return count();
  };

  it.each(['before', 'after'] as const)(
    '%s the write has begun a run that the sweeper starts, or none',
    async (when) => {
      const writes = await writesOf();
      expect(writes).toBeGreaterThanOrEqual(4);
      for (let at = 1; at <= writes; at++) {
        const rig = await unsettled();
        const dead = retryMigration({ ...rig.deps, store: createStore(dyingAt(rig.records, at, when).records) })(ASK);
        await expect(dead).rejects.toThrow('died');

        rig.clock.advanceMs(60_000);
        for (const id of ['host-a', 'host-b', 'host-c'])
          await rig.deps.store.hosts.apply([id], (host) => ({
            kind: 'write',
            next: { ...host, heartbeatAtMs: rig.clock.nowMs() },
          }));
        rig.executions.set(`${MIGRATION_ID}-1`, { state: 'FAILED', cause: '' });
        await pass(rig);
        const claimed = (await rig.volume()).claim;
        expect(rig.executions.started).toHaveLength(claimed ? 1 : 0);
        if (!claimed) {
          expect((await rig.volume()).retained).toHaveLength(1);
          await retryMigration(rig.deps)(ASK);
        }
        await copying(rig);
        await succeed(rig);

        const told = rig.notifier.told.map(({ detail }) => `${detail.event_type} ${detail.run}`);
        expect([...new Set(told)]).toEqual(
          ['start 1', 'end 1', 'start 2', 'end 2'].map((one) => `volume.migrate.${one}`),
        );
        expect(await rig.volume()).toMatchObject({ location: DESTINATION_OBJECT });
        expect((await rig.migration()).stage.state).toBe('succeeded');
      }
    },
  );

  it('is made up for by the same request, sent again', async () => {
    const rig = await failed();
    const { records } = dyingAt(rig.records, 1, 'after');
    await expect(retryMigration({ ...rig.deps, store: createStore(records) })(ASK)).rejects.toThrow('died');

    const again = await retryMigration(rig.deps)(ASK);

    expect(again).toMatchObject({ run: 2, stage: { state: 'requested' } });
    expect(rig.executions.started.map(({ name }) => name)).toEqual([`${MIGRATION_ID}-2`]);
  });
});

describe('a retry that was claimed and lost before it was told', () => {
  it('is recorded before anybody claims the volume again', async () => {
    const rig = await failed();
    const { records } = dyingAt(rig.records, 1, 'after');
    await expect(retryMigration({ ...rig.deps, store: createStore(records) })(ASK)).rejects.toThrow('died');
    await releaseClaim(rig.deps)({ ...RUN_2, error: REASON });

    const third = await retryMigration(rig.deps)(ASK);

    expect(third.run).toBe(3);
    expect(third.pastEnds?.map(({ run }) => run)).toEqual([1, 2]);
    expect((await rig.volume()).claim?.carriesOn).toMatchObject({ object: DESTINATION_OBJECT, run: 1 });
  });
});
