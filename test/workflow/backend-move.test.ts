import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Host } from '../../domain/host/host.ts';
import { raiseRun } from '../../domain/volume/claim.ts';
import { noteMove } from '../../domain/volume/claimed-move.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { validate } from '../../functions/workflow/steps/validate.ts';
import { aHost, aPoolReport, DESTINATION, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, DESTINATION_OBJECT, endJob, entered, jobId, POOL_B, type Rig, RUN_1 } from '../helpers/rig.ts';

/** The steps of a move that a backend makes by itself, when hosts, runs and space are not what they were. */

const report = (change: Partial<Host['backends'][number]> = {}): Host['backends'] => [
  {
    name: 'files',
    driver: 'file',
    migrationProgressReport: true,
    attachDuringMove: 'forbidden',
    pools: [
      aPoolReport({ name: SOURCE_OBJECT.pool, poolId: 'pool-of-host-a', systemId: 'one' }),
      aPoolReport({ name: 'beyond', poolId: POOL_B, systemId: 'one' }),
    ],
    ...change,
  },
];
/** Both hosts see both pools of one storage system. */
const ofOneSystem = async (rig: Rig, change: Partial<Host['backends'][number]> = {}): Promise<void> => {
  const pools = [aPoolReport({ name: DESTINATION.pool, poolId: POOL_B, systemId: 'one' })];
  const reports = { 'host-a': report(change), 'host-b': report({ ...change, pools }) };
  for (const [id, backends] of Object.entries(reports))
    await rig.deps.store.hosts.apply([id], () => ({ kind: 'write', next: aHost(id, { backends }) }));
};
const OFFLINE = volmoveError('BackendOffline', { place: 'host-a@files', reason: 'it is down' }).toFailure();
/** By the sweeper, whose execution then goes on as run 2. */
const takenUp = async (rig: Rig): Promise<void> => {
  await rig.deps.store.migrations.apply([MIGRATION_ID], (now) => ({ kind: 'write', next: { ...now, run: 2 } }));
  await rig.deps.store.volumes.apply([VOLUME_ID], raiseRun(MIGRATION_ID, 1, OFFLINE, rig.clock.nowMs()));
};
const reserved = async ({ deps }: Rig): Promise<number> => {
  const { reservations = {} } = (await deps.store.pools.get(POOL_B)) ?? {};
  return Object.keys(reservations).length;
};

describe('a move by the backend that was begun', () => {
  it('is noted on the claim before its job is there, with the space reserved', async () => {
    const rig = await createRig();
    await ofOneSystem(rig);

    await dispatch(rig.deps)(entered(rig, 'backend.move'));

    expect((await rig.volume()).claim?.move).toMatchObject({ hostId: 'host-a', destination: { pool: 'beyond' } });
    expect(await rig.deps.store.jobs.get('host-a', jobId('backend.move'))).toMatchObject({
      stage: { state: 'queued' },
    });
    expect(await reserved(rig)).toBe(1);
  });

  it('is none when a host reports something else since it was validated: the run copies', async () => {
    const rig = await createRig();
    await ofOneSystem(rig);
    expect(await validate(rig.deps)(RUN_1)).toMatchObject({ way: 'backend' });
    await ofOneSystem(rig, { pools: report()[0]?.pools.map(({ systemId: _, ...pool }) => pool) ?? [] });

    await dispatch(rig.deps)(entered(rig, 'backend.move'));

    expect(rig.tasks.answers).toMatchObject([{ ok: true, output: { moved: false } }]);
    expect((await rig.volume()).claim?.move).toBeUndefined();
    expect(await rig.deps.store.jobs.get('host-a', jobId('backend.move'))).toBeUndefined();
  });

  it('stays none when that host reports as before again: a dispatch that comes late begins nothing beside the copy', async () => {
    const rig = await createRig();
    await ofOneSystem(rig, { pools: report()[0]?.pools.map(({ systemId: _, ...pool }) => pool) ?? [] });
    await dispatch(rig.deps)(entered(rig, 'backend.move'));
    await ofOneSystem(rig);

    const late = await refusalOf(dispatch(rig.deps)(entered(rig, 'backend.move', 1)));

    expect(late.code).toBe('ClaimLost');
    expect(await rig.deps.store.jobs.get('host-a', jobId('backend.move'))).toBeUndefined();
  });
});

describe('a move that leaves the bytes where they are', () => {
  it('is let into a pool that is full, and reserves nothing there', async () => {
    const rig = await createRig();
    await ofOneSystem(rig, { moveTakesNoSpace: true });
    await rig.deps.store.pools.apply([POOL_B], (pool) => ({
      kind: 'write',
      next: { ...pool, freeBytes: 1, leftBytes: 1 },
    }));

    expect(await validate(rig.deps)(RUN_1)).toMatchObject({ way: 'backend' });
    await dispatch(rig.deps)(entered(rig, 'backend.move'));

    expect(await reserved(rig)).toBe(0);
  });

  it('is refused there when the backend says that it takes space', async () => {
    const rig = await createRig();
    await ofOneSystem(rig);
    await rig.deps.store.pools.apply([POOL_B], (pool) => ({
      kind: 'write',
      next: { ...pool, freeBytes: 1, leftBytes: 1 },
    }));

    expect((await refusalOf(validate(rig.deps)(RUN_1))).code).toBe('CapacityShort');
  });
});

describe('going back', () => {
  it('leaves the jobs of one run in the story, however many runs it takes', async () => {
    const rig = await createRig();
    const move = {
      hostId: 'host-a',
      source: SOURCE_OBJECT,
      destination: { pool: 'beyond', objectName: DESTINATION_OBJECT.objectName },
      attachDuringMove: 'forbidden',
    } as const;
    await rig.deps.store.volumes.apply([VOLUME_ID], noteMove(RUN_1, move));
    await dispatch(rig.deps)(entered(rig, 'backend.undo'));
    await endJob(rig, 'host-a', jobId('backend.undo'), { failure: OFFLINE });
    await takenUp(rig);

    await dispatch(rig.deps)(entered(rig, 'backend.undo', 0, 2));

    const kept = (await rig.migration()).jobs.filter(({ kind }) => kind === 'backend.undo');
    expect(kept).toMatchObject([{ run: 2, jobId: jobId('backend.undo', 2) }]);
    expect(await rig.deps.store.jobs.get('host-a', jobId('backend.undo', 1))).toBeUndefined();
  });
});
