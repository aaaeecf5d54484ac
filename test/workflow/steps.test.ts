import { describe, expect, it } from 'vitest';
import { reserveCapacity } from '../../domain/host/capacity.ts';
import { wishCancel } from '../../domain/migration/run.ts';
import { reserve } from '../../domain/volume/guest.ts';
import { resetStatus } from '../../domain/volume/reset.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { finalize } from '../../functions/workflow/steps/finalize.ts';
import { lockVolume } from '../../functions/workflow/steps/lock-volume.ts';
import { notifyEnded } from '../../functions/workflow/steps/notify-ended.ts';
import { notifyStarted } from '../../functions/workflow/steps/notify-started.ts';
import { releaseClaim } from '../../functions/workflow/steps/release-claim.ts';
import { validate } from '../../functions/workflow/steps/validate.ts';
import { aHost, aPoolReport, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, DESTINATION_OBJECT, POOL_B, type Rig, RUN_1 } from '../helpers/rig.ts';
import { ROLLBACK, SUCCESS, stateOf, walkTo } from './walk.ts';

const STEPS_WITH_A_CLAIM = [
  'NotifyStarted',
  'Validate',
  'LockVolume',
  'PrepareDestination',
  'CopyData',
  'VerifyData',
  'Finalize',
];
const runStep = (rig: Rig, name: string): Promise<unknown> =>
  SUCCESS.find((step) => step.name === name)?.run(rig) ?? Promise.reject(new Error(name));

describe('a run from beginning to end', () => {
  it('moves the volume, in the order of the story', async () => {
    const rig = await createRig();

    await walkTo(rig);
    const [volume, migration] = [await rig.volume(), await rig.migration()];

    expect(volume).toMatchObject({
      id: VOLUME_ID,
      status: 'available',
      migrationStatus: 'success',
      location: DESTINATION_OBJECT,
      claim: null,
      retained: [],
      lastOutcome: { result: 'success', proof: { kind: 'digest', digest: 'digest' } },
    });
    expect(migration.stage.state).toBe('succeeded');
    expect(migration.story.map((entry) => entry.to)).toEqual([
      'requested',
      'validating',
      'locking',
      'preparing',
      'copying',
      'verifying',
      'finalizing',
      'succeeded',
      'succeeded',
    ]);
    expect(migration.report).toEqual({
      sourceDigest: 'digest',
      destinationDigest: 'digest',
      readback: 'direct',
      bytesRead: 5,
      bytesWritten: 4,
      copyMs: 3,
    });
    expect(migration).toMatchObject({
      endedTold: true,
      cleanup: [{ objectName: SOURCE_OBJECT.objectName, state: 'done' }],
    });
  });

  it('tells Started, Ended and Cleanup, in that order and with rising sequence numbers', async () => {
    const rig = await createRig();

    await walkTo(rig);

    const told = rig.notifier.told.map(({ detailType }) => detailType);
    const sequences = rig.notifier.told.map(({ detail }) => detail.sequence);
    expect(told).toEqual(['Volume Migration Started', 'Volume Migration Ended', 'Volume Migration Cleanup']);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  it('reserves the capacity for its time only', async () => {
    const rig = await createRig();

    await walkTo(rig, 'CopyData');
    const during = await rig.deps.store.pools.get(POOL_B);
    await walkTo(await createRig());
    const end = await createRig();
    await walkTo(end);
    const after = await end.deps.store.pools.get(POOL_B);

    expect(during).toMatchObject({ reservedBytes: GIB, reservations: { [MIGRATION_ID]: GIB } });
    expect(after).toMatchObject({ reservedBytes: 0, reservations: {} });
  });

  it('that is rolled back leaves the volume where it was, and nothing of the run', async () => {
    const rig = await createRig({ options: { lock: true } });

    await walkTo(rig, undefined, ROLLBACK);
    const [volume, migration] = [await rig.volume(), await rig.migration()];
    const pool = await rig.deps.store.pools.get(POOL_B);

    expect(volume).toMatchObject({
      status: 'available',
      migrationStatus: 'error',
      location: SOURCE_OBJECT,
      claim: null,
    });
    expect(migration.stage).toMatchObject({ state: 'failed', reason: { code: 'NoSpace', message: 'It is full.' } });
    expect(migration.story.map((entry) => entry.to).slice(-3)).toEqual(['rolling_back', 'failed', 'failed']);
    expect(migration.cleanup).toMatchObject([{ objectName: DESTINATION_OBJECT.objectName, state: 'done', run: 1 }]);
    expect(pool?.reservedBytes).toBe(0);
  });

  it('keeps a source that is to be kept', async () => {
    const rig = await createRig({ options: { sourceRetentionSeconds: 60 } });

    await walkTo(rig);
    const volume = await rig.volume();

    expect(volume.retained.map(({ object }) => object)).toEqual([SOURCE_OBJECT]);
    expect((await rig.migration()).cleanup).toEqual([]);
    expect(rig.tasks.answers.at(-1)).toMatchObject({ ok: true, output: { removed: false } });
  });
});

describe.each([
  ['a success', SUCCESS],
  ['a rollback', ROLLBACK],
])('in %s', (_what, steps) => {
  it.each(steps.filter(({ name }) => !name.startsWith('agent')))(
    '$name done twice leaves the same state as once',
    async (step) => {
      const rig = await createRig();
      await walkTo(rig, step.name, steps);
      await step.run(rig);
      const once = await stateOf(rig);
      rig.clock.advanceMs(500);

      await step.run(rig);
      const twice = await stateOf(rig);

      expect(withoutTokens(twice)).toEqual(withoutTokens(once));
    },
  );
});

/** A step that is entered again brings a newer token, and nothing else. */
const withoutTokens = (state: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([key]) => !key.includes(' TOKEN#')));

describe('a run that has lost its claim', () => {
  const losses: [string, (rig: Rig) => Promise<unknown>][] = [
    ['to a guest', ({ deps }) => deps.store.volumes.apply([VOLUME_ID], reserve(deps.clock.nowMs()))],
    [
      'to a reset',
      ({ deps }) =>
        deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
    ],
  ];
  const pairs = losses.flatMap(([how, lose]) =>
    STEPS_WITH_A_CLAIM.filter((name) => name !== 'NotifyStarted').map((name) => ({ how, lose, name })),
  );

  it.each(pairs)('$how changes nothing any more in $name', async ({ lose, name }) => {
    const rig = await createRig();
    await walkTo(rig, name);
    await lose(rig);
    const before = await stateOf(rig);

    const refused = await refusalOf(runStep(rig, name));

    expect(refused.code).toBe('ClaimLost');
    expect(await stateOf(rig)).toEqual(before);
    expect(rig.queues.looks.length).toBeLessThanOrEqual(3);
  });
});

describe('a wish to cancel', () => {
  it.each(STEPS_WITH_A_CLAIM.filter((name) => name !== 'NotifyStarted'))('stops a run at %s', async (name) => {
    const rig = await createRig();
    await walkTo(rig, name);
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishCancel('admin', rig.clock.nowMs()));
    const before = await stateOf(rig);

    const refused = await refusalOf(runStep(rig, name));

    expect(refused).toMatchObject({ code: 'Cancelled', message: 'Cancelled by admin.' });
    expect(await stateOf(rig)).toEqual(before);
  });

  it('that comes after Finalize changes nothing: the volume has moved', async () => {
    const rig = await createRig();
    await walkTo(rig, 'NotifyEnded');
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishCancel('admin', rig.clock.nowMs()));

    const again = await finalize(rig.deps)(RUN_1);
    await notifyEnded(rig.deps)(RUN_1);

    expect(again).toEqual({ digest: 'digest' });
    expect((await rig.migration()).stage.state).toBe('succeeded');
  });
});

describe('NotifyStarted', () => {
  it('of a migration that was refused tells nobody, and sends the run to ReleaseClaim', async () => {
    const rig = await createRig();
    const reason = { code: 'NeverClaimed', message: 'It died.', remedy: 'Ask again.' } as const;
    await rig.deps.store.migrations.apply([MIGRATION_ID], (migration) => ({
      kind: 'write',
      next: { ...migration, stage: { state: 'refused', endedAtMs: rig.clock.nowMs(), reason } },
    }));

    const refused = await refusalOf(notifyStarted(rig.deps)(RUN_1));
    const released = await releaseClaim(rig.deps)({ ...RUN_1, error: { Error: refused.code, Cause: refused.message } });

    expect(rig.notifier.told).toEqual([]);
    expect(released.outcome).toBe('error');
    expect(await rig.volume()).toMatchObject({ claim: null, location: SOURCE_OBJECT });
  });

  it('told again has the same sequence number', async () => {
    const rig = await createRig();

    await notifyStarted(rig.deps)(RUN_1);
    rig.clock.advanceMs(1_000);
    await notifyStarted(rig.deps)(RUN_1);

    expect(rig.notifier.told[1]).toEqual(rig.notifier.told[0]);
  });
});

describe('Validate', () => {
  it('says where from, where to, and how long each state may take', async () => {
    const rig = await createRig();
    await walkTo(rig, 'Validate');

    expect(await validate(rig.deps)(RUN_1)).toEqual({
      from: 'host-a@files#ssd',
      to: 'host-b@files#ssd',
      prepareSeconds: 900,
      copySeconds: 3_600,
      verifySeconds: 3_600,
      removeSeconds: 60,
      way: 'copy',
    });
  });

  it.each<[string, (rig: Rig) => Promise<unknown>, string]>([
    ['the source’s host is silent', (rig) => silence(rig, 'host-a'), 'HostUnavailable'],
    ['the destination’s host is silent', (rig) => silence(rig, 'host-b'), 'HostUnavailable'],
    ['the pool is not there', (rig) => report(rig, { name: 'hdd' }), 'PoolNotFound'],
    ['the pool is offline', (rig) => report(rig, { state: 'offline', reason: 'not mounted' }), 'BackendOffline'],
    [
      'the pool is full of reservations',
      ({ deps }) => deps.store.pools.apply([POOL_B], reserveCapacity('other', 99.5 * GIB, 'there')),
      'CapacityShort',
    ],
  ])('refuses when %s', async (_why, prepare, code) => {
    const rig = await createRig();
    await walkTo(rig, 'Validate');
    await prepare(rig);

    expect((await refusalOf(validate(rig.deps)(RUN_1))).code).toBe(code);
  });

  const silence = ({ deps, clock }: Rig, id: string): Promise<unknown> =>
    deps.store.hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, stoppedAtMs: clock.nowMs() } }));
  const report = ({ deps }: Rig, change: Parameters<typeof aPoolReport>[0]): Promise<unknown> =>
    deps.store.hosts.apply(['host-b'], (host) => ({
      kind: 'write',
      next: {
        ...host,
        backends: aHost('host-b').backends.map((backend) => ({
          ...backend,
          pools: [aPoolReport({ poolId: POOL_B, ...change })],
        })),
      },
    }));
});

describe('LockVolume', () => {
  it('shows the volume as migrating; the lock stands since the claim', async () => {
    const rig = await createRig({ options: { lock: true } });
    const before = await rig.volume();
    await walkTo(rig, 'LockVolume');

    const locked = await lockVolume(rig.deps)(RUN_1);

    expect(before.status).toBe('maintenance');
    expect(locked).toEqual({ locked: true });
    expect(await rig.volume()).toMatchObject({ status: 'maintenance', migrationStatus: 'migrating' });
  });
});
