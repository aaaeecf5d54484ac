import { describe, expect, it } from 'vitest';
import { newCleanup, removalJobId } from '../../domain/cleanup.ts';
import { reserveCapacity } from '../../domain/host/capacity.ts';
import { finalize, release } from '../../domain/volume/claim.ts';
import { reserve } from '../../domain/volume/guest.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { reconcile } from '../../functions/upkeep/reconcile.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { lockVolume } from '../../functions/workflow/steps/lock-volume.ts';
import { validate } from '../../functions/workflow/steps/validate.ts';
import { anObject, MIGRATION_ID, SOURCE, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, DESTINATION_OBJECT, endJob, jobId, POOL_B, type Rig, RUN_1 } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

const NAME = `${MIGRATION_ID}-1`;
const FAILED = { state: 'FAILED', cause: 'stopped by hand' } as const;
const pass = ({ deps }: Rig) => sweep(deps)({ full: false });
const beat = async ({ deps, clock }: Rig, ...ids: string[]): Promise<void> => {
  for (const id of ids) {
    await deps.store.hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatAtMs: clock.nowMs() } }));
  }
};
const later = async (rig: Rig, ms = 60_000): Promise<void> => {
  rig.clock.advanceMs(ms);
  await beat(rig, 'host-a', 'host-b', 'host-c');
};
const _COPY = ['host-a', jobId('data.copy')] as const;
const _abort = ({ deps, clock }: Rig): Promise<unknown> =>
  deps.store.volumes.apply([VOLUME_ID], reserve(clock.nowMs()));

describe('the sweeper finds', () => {
  it('a request that never got its claim, and refuses it, but not before the grace is over', async () => {
    const rig = await createRig({ claimed: false });

    await pass(rig);
    const early = await rig.migration();
    await later(rig);
    await pass(rig);
    const late = await rig.migration();

    expect(early.stage.state).toBe('requested');
    expect(late.stage).toMatchObject({ state: 'refused', reason: { code: 'NeverClaimed' } });
    expect(late.story.at(-1)).toMatchObject({ who: 'sweeper', to: 'refused' });
  });

  it('a claim without an execution, and starts it with exactly its input', async () => {
    const rig = await createRig();
    await later(rig);

    await pass(rig);
    await pass(rig);

    expect(rig.executions.started).toEqual([{ machine: 'migrate-volume', name: NAME, input: RUN_1 }]);
  });

  it('a claim whose execution has ended, and starts a run that goes straight back', async () => {
    const rig = await createRig();
    await walkTo(rig, 'LockVolume');
    rig.executions.set(NAME, FAILED);
    await later(rig);

    await pass(rig);
    const { claim } = await rig.volume();
    const old = await refusalOf(lockVolume(rig.deps)(RUN_1));
    const next = await refusalOf(validate(rig.deps)({ ...RUN_1, run: 2 }));

    expect(claim).toMatchObject({ run: 2, rollback: { code: 'ExecutionEnded' } });
    expect(rig.executions.started).toMatchObject([{ name: `${MIGRATION_ID}-2`, input: { run: 2 } }]);
    expect(old.code).toBe('ClaimLost');
    expect(next.message).toContain('stopped by hand');
  });

  it('an outcome that nobody has recorded, records and tells it', async () => {
    const rig = await createRig();
    await walkTo(rig, 'NotifyEnded');
    await later(rig);

    await pass(rig);

    expect((await rig.migration()).stage.state).toBe('succeeded');
    expect(rig.notifier.told.map(({ detailType }) => detailType)).toContain('Volume Migration Ended');
    expect((await rig.deps.store.pools.get(POOL_B))?.reservedBytes).toBe(0);
  });

  it('a migration of a volume that is gone, and ends it', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    await rig.deps.store.volumes.remove([VOLUME_ID], () => true);
    await later(rig);

    await pass(rig);

    expect((await rig.migration()).stage).toMatchObject({ state: 'failed', reason: { code: 'VolumeNotFound' } });
    expect((await rig.deps.store.pools.get(POOL_B))?.reservedBytes).toBe(0);
  });

  it('capacity that was reserved after its migration had ended, and gives it back', async () => {
    const rig = await createRig();
    await walkTo(rig);
    await rig.deps.store.pools.apply([POOL_B], reserveCapacity(MIGRATION_ID, GIB, 'there'));

    await pass(rig);

    expect(await rig.deps.store.pools.get(POOL_B)).toMatchObject({ reservedBytes: 0, reservations: {} });
  });

  it('capacity of a migration that goes on, and leaves it', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    await later(rig);

    await pass(rig);

    expect((await rig.deps.store.pools.get(POOL_B))?.reservations).toEqual({ [MIGRATION_ID]: GIB });
  });

  it('what one item cannot have, and still looks after the others', async () => {
    const rig = await createRig({ claimed: false });
    const { migrations, volumes } = rig.deps.store;
    const broken = {
      ...rig.deps,
      store: {
        ...rig.deps.store,
        volumes: {
          ...volumes,
          get: (id: string) => (id === 'bad' ? Promise.reject(new Error('torn')) : volumes.get(id)),
        },
      },
    };
    await volumes.create({ ...(await rig.volume()), id: 'bad', status: 'creating' });
    await later(rig);

    const swept = await sweep(broken)({ full: false });

    expect(swept.problems.map(({ id }) => id)).toEqual(['bad']);
    expect((await migrations.get(MIGRATION_ID))?.stage.state).toBe('refused');
  });

  it('nothing to do a second time: a quiet world is not written to', async () => {
    const rig = await createRig();
    await walkTo(rig);
    await later(rig);
    await pass(rig);
    const before = await revisions(rig);

    await later(rig, 0);
    const swept = await pass(rig);

    expect(swept).toEqual({ volumes: 0, migrations: 0, problems: [] });
    expect(await revisions(rig)).toEqual(before);
  });

  const revisions = async ({ records }: Rig): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for await (const { pk, sk, rev } of records.scan()) if (sk !== 'HOST') found[`${pk} ${sk}`] = rev;
    return found;
  };
});

describe('the reconciler', () => {
  it('takes a claim over from an execution that has ended, once', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    const heard = { ...RUN_1, status: FAILED };

    await Promise.all([reconcile(rig.deps)(heard), reconcile(rig.deps)(heard)]);
    await reconcile(rig.deps)(heard);

    expect((await rig.volume()).claim).toMatchObject({ run: 2 });
    expect(rig.executions.started.map(({ name }) => name)).toEqual([`${MIGRATION_ID}-2`]);
  });

  it('finishes a migration whose outcome stands', async () => {
    const rig = await createRig();
    await walkTo(rig, 'NotifyEnded');

    await reconcile(rig.deps)({ ...RUN_1, status: FAILED });

    expect(await rig.migration()).toMatchObject({ stage: { state: 'succeeded' }, endedTold: true });
  });

  it('has nothing to do for a run that was rolled back in order', async () => {
    const rig = await createRig();
    await walkTo(rig);
    rig.notifier.told.length = 0;

    await reconcile(rig.deps)({ ...RUN_1, status: FAILED });
    await reconcile(rig.deps)({ migrationId: VOLUME_ID, run: 1, status: FAILED });

    expect(rig.notifier.told).toEqual([]);
    expect(rig.executions.started).toEqual([]);
  });

  it('that loses the race against the end of the claim leaves it at that', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    const { volumes } = rig.deps.store;
    const slow = {
      ...rig.deps,
      store: {
        ...rig.deps.store,
        volumes: {
          ...volumes,
          get: async (id: string) => {
            const read = await volumes.get(id);
            await volumes.apply(
              [id],
              release({ ...RUN_1, reason: { code: 'NoSpace', message: 'full', remedy: '' }, nowMs: rig.clock.nowMs() }),
            );
            return read;
          },
        },
      },
    };

    await reconcile(slow)({ ...RUN_1, status: FAILED });

    expect((await rig.volume()).claim).toBeNull();
    expect(rig.executions.started).toEqual([]);
  });

  it('never takes a finalized volume back', async () => {
    const rig = await createRig();
    await walkTo(rig, 'Finalize');
    const proof = { kind: 'digest', digest: 'digest', writeEpoch: 0, generation: 1 } as const;
    await rig.deps.store.volumes.apply(
      [VOLUME_ID],
      finalize({ ...RUN_1, destination: DESTINATION_OBJECT, proof, nowMs: rig.clock.nowMs() }),
    );

    await reconcile(rig.deps)({ ...RUN_1, status: FAILED });
    await later(rig);
    await pass(rig);

    expect(await rig.volume()).toMatchObject({ location: DESTINATION_OBJECT, claim: null });
    expect((await rig.migration()).stage.state).toBe('succeeded');
  });
});

describe('a deleted volume', () => {
  it('stays until nothing is left of it, then goes with its item', async () => {
    const rig = await createRig({ claimed: false });
    const kept = anObject('kept', SOURCE);
    await rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({
      kind: 'write',
      next: { ...volume, status: 'deleting', location: null, operation: 2, cleanup: [newCleanup(kept, 'volume')] },
    }));
    rig.executions.set(`${VOLUME_ID}-2`, { state: 'SUCCEEDED', cause: '' });
    await later(rig);

    await pass(rig);
    const during = await rig.deps.store.volumes.get(VOLUME_ID);
    const [entry] = during?.cleanup ?? [];
    if (entry) await endJob(rig, 'host-a', removalJobId(entry, 1), { result: { existed: true } });
    await later(rig);
    await pass(rig);

    expect(during).toMatchObject({ status: 'deleting', cleanup: [{ tries: 1 }] });
    expect(await rig.deps.store.volumes.get(VOLUME_ID)).toBeUndefined();
  });
});
