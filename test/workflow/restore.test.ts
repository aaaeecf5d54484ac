import { describe, expect, it } from 'vitest';
import { removalJobId } from '../../domain/cleanup.ts';
import type { RemoveResult } from '../../domain/job/job.ts';
import { isClosed } from '../../domain/migration/migration.ts';
import type { Placement } from '../../domain/placement.ts';
import { reserve, unreserve } from '../../domain/volume/guest.ts';
import { migrate } from '../../functions/api/migrations/migrate.ts';
import { restoreVolume } from '../../functions/api/migrations/restore.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { aRetained, DESTINATION, MIGRATION_ID, OPTIONS, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, DESTINATION_OBJECT, endJob, entered, type Rig } from '../helpers/rig.ts';
import { play, refusalsAside } from '../helpers/sim/script.ts';
import { FIRST_OBJECT } from '../helpers/sim/sim.ts';
import { RESTORED } from './scenes.ts';
import { ROLLBACK, SUCCESS, walkTo } from './walk.ts';

/** From a migration that keeps its source to the volume's return, and to nothing that is left over. */

const KEEP = { sourceRetentionSeconds: 3_600 };

const aliveAt = async ({ deps, clock }: Rig): Promise<void> => {
  for (const id of ['host-a', 'host-b', 'host-c'])
    await deps.store.hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatAtMs: clock.nowMs() } }));
};
const pass = async (rig: Rig): Promise<void> => {
  rig.clock.advanceMs(5_000);
  await aliveAt(rig);
  const { problems } = await sweep(rig.deps)({ full: false });
  expect(problems).toEqual([]);
};
const moved = async (options: object = {}): Promise<Rig> => {
  const rig = await createRig({ options: { ...KEEP, ...options } });
  await walkTo(rig);
  return rig;
};
const use = async ({ deps, clock }: Rig): Promise<void> => {
  await deps.store.volumes.apply([VOLUME_ID], reserve(clock.nowMs()));
  await deps.store.volumes.apply([VOLUME_ID], unreserve(clock.nowMs()));
};
const restore = ({ deps }: Rig, discardChanges = false) =>
  restoreVolume(deps)({ migrationId: MIGRATION_ID, discardChanges, by: 'root' });
const removalOf = async ({ deps }: Rig, { hostId }: Placement, objectName: string) =>
  deps.store.jobs.get(hostId, removalJobId({ objectName, role: 'destination' }, 1));
const agentRemoves = (rig: Rig, { hostId }: Placement, objectName: string, result: RemoveResult) =>
  endJob(rig, hostId, removalJobId({ objectName, role: 'destination' }, 1), { result });

describe('a volume whose source was kept', () => {
  it('goes back after a guest has written, only with leave to discard that; what it left is removed, the source is not', async () => {
    const rig = await moved();
    await use(rig);

    const refusal = await refusalOf(restore(rig));
    const before = await rig.volume();
    await restore(rig, true);
    await pass(rig);
    await agentRemoves(rig, DESTINATION, DESTINATION_OBJECT.objectName, { existed: true });
    await pass(rig);

    expect(refusal.code).toBe('ChangesSinceMigration');
    expect(before.location).toEqual(DESTINATION_OBJECT);
    expect(await rig.volume()).toMatchObject({ location: SOURCE_OBJECT, retained: [], migrationStatus: null });
    expect(await removalOf(rig, SOURCE_OBJECT, SOURCE_OBJECT.objectName)).toBeUndefined();
    const migration = await rig.migration();
    expect(migration.cleanup.map(({ objectName, state }) => [objectName, state])).toEqual([
      [DESTINATION_OBJECT.objectName, 'done'],
    ]);
    expect(migration.story.slice(-3).map(({ to, why }) => [to, why])).toEqual([
      ['succeeded', null],
      ['restored', 'back at its source; what was written since is discarded'],
      ['restored', `nothing is left of ${DESTINATION_OBJECT.objectName}`],
    ]);
    expect(isClosed(migration)).toBe(true);
    expect(await rig.deps.store.open()).toEqual({ volumes: [], migrations: [] });
  });

  it('stays at its source for ever: no late part of the migration that is done again takes it away', async () => {
    const rig = await moved();
    await restore(rig);
    const restored = await rig.volume();

    const late = [...SUCCESS, ...ROLLBACK].filter(({ name }) => !name.startsWith('agent'));
    for (const step of late) await refusalsAside(step.run(rig));
    await dispatch(rig.deps)(entered(rig, 'source.remove', 1));
    await dispatch(rig.deps)(entered(rig, 'destination.remove', 1));
    for (let n = 0; n < 3; n++) await pass(rig);

    expect(await rig.volume()).toMatchObject({
      location: SOURCE_OBJECT,
      claim: null,
      lastOutcome: restored.lastOutcome,
    });
    expect(await removalOf(rig, SOURCE_OBJECT, SOURCE_OBJECT.objectName)).toBeUndefined();
    expect(await removalOf(rig, DESTINATION, DESTINATION_OBJECT.objectName)).toMatchObject({
      input: { objectName: DESTINATION_OBJECT.objectName },
    });
  });

  it('cannot go back once the time is over, and what was kept goes', async () => {
    const rig = await moved();
    rig.clock.advanceMs(3_600_000);
    await aliveAt(rig);

    const refusal = await refusalOf(restore(rig));
    await pass(rig);
    await pass(rig);

    expect(refusal).toMatchObject({ code: 'CannotRestore', message: expect.stringContaining('was kept until') });
    expect(await removalOf(rig, SOURCE_OBJECT, SOURCE_OBJECT.objectName)).toMatchObject({ kind: 'object.remove' });
    expect(await rig.volume()).toMatchObject({ location: DESTINATION_OBJECT, retained: [] });
  });

  it('that goes back while the sweeper is at its expiry is not lost: the entry that was written is dropped', async () => {
    const rig = await moved();
    const { migrations } = rig.deps.store;
    // the sweeper's clock is ahead: to it the time is over, to the API it is not
    const ahead = { nowMs: () => rig.clock.nowMs() + 3_600_000 };
    let meanwhile: Promise<unknown> | undefined;
    const apply: typeof migrations.apply = async (...asked) => {
      const written = await migrations.apply(...asked);
      meanwhile ??= restore(rig);
      await meanwhile;
      return written;
    };
    const deps = { ...rig.deps, clock: ahead, store: { ...rig.deps.store, migrations: { ...migrations, apply } } };

    await sweep(deps)({ full: false });
    await pass(rig);
    await pass(rig);

    expect(meanwhile).toBeDefined();
    expect(await rig.volume()).toMatchObject({ location: SOURCE_OBJECT, retained: [] });
    const { cleanup } = await rig.migration();
    expect(cleanup.find(({ objectName }) => objectName === SOURCE_OBJECT.objectName)).toMatchObject({
      state: 'dropped',
      tries: 0,
    });
    expect(await removalOf(rig, SOURCE_OBJECT, SOURCE_OBJECT.objectName)).toBeUndefined();
  });

  it('an old entry never shortens the time that the source is kept for by a later migration', async () => {
    const rig = await moved();
    await restore(rig);
    const { value: volume } = await rig.deps.store.volumes.apply([VOLUME_ID], (now) => ({
      kind: 'write',
      next: {
        ...now,
        location: { ...DESTINATION_OBJECT, objectName: 'later' },
        retained: [
          aRetained({
            migrationId: 'later',
            expiresAtMs: rig.clock.nowMs() + 3_600_000,
            writeEpoch: now.writeEpoch,
          }),
        ],
      },
    }));
    await rig.deps.store.migrations.apply([MIGRATION_ID], (now) => ({
      kind: 'write',
      next: {
        ...now,
        cleanup: now.cleanup.map((entry) => ({
          ...entry,
          objectName: SOURCE_OBJECT.objectName,
          placement: SOURCE_OBJECT,
        })),
      },
    }));

    await pass(rig);
    await pass(rig);

    expect((await rig.volume()).retained).toEqual(volume.retained);
    expect(await removalOf(rig, SOURCE_OBJECT, SOURCE_OBJECT.objectName)).toBeUndefined();
  });

  it('can be migrated again after it went back, also to where it came from', async () => {
    const rig = await moved();
    await restore(rig);

    const again = await migrate(rig.deps)({
      projectId: 'project',
      requestedBy: 'root',
      volumeId: VOLUME_ID,
      destination: 'host-b@files#ssd',
      options: OPTIONS,
      idempotencyKey: undefined,
    });

    expect(again).toMatchObject({
      source: SOURCE_OBJECT,
      destination: DESTINATION,
      stage: { state: 'requested' },
    });
    expect(await rig.volume()).toMatchObject({ claim: { migrationId: again.id }, location: SOURCE_OBJECT });
  });
});

describe('a source that is to be wiped', () => {
  const removal = async (rig: Rig) =>
    rig.deps.store.jobs.get('host-a', removalJobId({ ...SOURCE_OBJECT, role: 'source' }, 1));

  it.each([
    ['at once', { sourceRetentionSeconds: 0 }],
    ['after its time', { sourceRetentionSeconds: 1 }],
  ])('that goes %s is wiped by the job that removes it, and the story tells', async (_when, options) => {
    const rig = await createRig({ options: { ...options, wipe: true } });
    await walkTo(rig, 'agent removes');
    await pass(rig);
    await pass(rig);

    const job = await removal(rig);
    await endJob(rig, 'host-a', job?.id ?? '', { result: { existed: true, wiped: true } });
    await pass(rig);

    expect(job).toMatchObject({ kind: 'object.remove', input: { objectName: SOURCE_OBJECT.objectName, wipe: true } });
    const { cleanup, story } = await rig.migration();
    expect(cleanup).toMatchObject([{ state: 'done', wiped: true }]);
    expect(story.at(-1)?.why).toBe(`nothing is left of ${SOURCE_OBJECT.objectName}, which was wiped first`);
  });

  it('is what nobody asks for when wipe was not', async () => {
    const rig = await createRig();
    await walkTo(rig, 'agent removes');

    const input = (await removal(rig))?.input;
    expect(input).toMatchObject({ objectName: SOURCE_OBJECT.objectName });
    expect(input).not.toHaveProperty('wipe');
  });

  it('and went back to leaves what is wiped in its place', async () => {
    const rig = await moved({ wipe: true });
    await restore(rig);

    await pass(rig);

    expect(await removalOf(rig, DESTINATION, DESTINATION_OBJECT.objectName)).toMatchObject({ input: { wipe: true } });
  });
});

describe('under the real state machine', () => {
  it('a restore as early as it can be has the volume; everything that its execution still does changes nothing', async () => {
    const { sim, broken } = await play(RESTORED);

    const [volume] = sim.table.peek.volumes();
    const [migration] = sim.table.peek.migrations();
    expect(broken).toBeUndefined();
    expect(sim.problems).toEqual([]);
    expect(volume).toMatchObject({ location: { objectName: FIRST_OBJECT }, retained: [], migrationStatus: null });
    expect([...sim.world.objects.keys()]).toEqual([FIRST_OBJECT]);
    expect(migration).toMatchObject({ stage: { state: 'succeeded' }, restored: { by: 'admin', discarded: false } });
    expect(sim.engine.executions().map(({ status }) => status.state)).toEqual(['SUCCEEDED']);
  });

  it('a source that nobody goes back to goes when its time is over', async () => {
    const { meanwhile: _, ...unrestored } = RESTORED;
    const { sim, broken } = await play(unrestored);

    const [volume] = sim.table.peek.volumes();
    expect(broken).toBeUndefined();
    expect(volume?.retained).toEqual([]);
    expect([...sim.world.objects.keys()]).toEqual([volume?.location?.objectName]);
    expect(volume?.location?.objectName).not.toBe(FIRST_OBJECT);
  });
});
