import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { adoptJobId } from '../../domain/job/job.ts';
import type { ObjectReference } from '../../domain/placement.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import { manageVolume } from '../../functions/api/manage/manage.ts';
import { unmanageVolume } from '../../functions/api/manage/unmanage.ts';
import { migrationEntries } from '../../functions/shared/entry-owners.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatchRemoval } from '../../functions/workflow/dispatch/removal.ts';
import { dispatchVolume } from '../../functions/workflow/dispatch/volume.ts';
import { recordVolume, recordVolumeError } from '../../functions/workflow/steps/record-volume.ts';
import { aHost, aJob, anObject, aPoolReport, aRetained, aVolume, DESTINATION, SOURCE } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, endJob, type Rig, wasThere } from '../helpers/rig.ts';
import { play } from '../helpers/sim/script.ts';
import { ADOPTION } from './scenes.ts';

/** The steps of volume-job that take over what others have made, with what their host's agent has found. */

const DISK = anObject('disk1', DESTINATION, 5 * 1024 ** 2 + 512);
const NAMED: ObjectReference = { objectName: DISK.objectName };
const BY_ID: ObjectReference = { objectId: DISK.objectId };
const caller = { userId: 'root', projectId: 'project', role: 'admin' } as const;

const manage = ({ deps }: Rig, reference: ObjectReference = NAMED, host = 'host-b@files#ssd'): Promise<Volume> =>
  manageVolume(deps)({ caller, host, reference, name: null, description: null, metadata: {} });
const step = ({ id: volumeId }: Volume) => ({ volumeId, operation: 1 });
const now = ({ deps }: Rig, { id }: Volume) => deps.store.volumes.get(id);

const dispatch = (rig: Rig, volume: Volume) =>
  dispatchVolume(rig.deps)({ ...step(volume), token: volume.id, entered: new Date(0).toISOString(), retry: 0 });
const found = async (rig: Rig, volume: Volume, object = DISK): Promise<void> => {
  await dispatch(rig, volume);
  await endJob(rig, object.hostId, adoptJobId(volume.id, 1), { result: { object } });
};
const taken = async (rig: Rig, volume: Volume, object = DISK) => {
  await found(rig, volume, object);
  return recordVolume(rig.deps)(step(volume));
};
const rigWithout = (): Promise<Rig> => createRig({ claimed: false });

describe('taking over what others have made', () => {
  it('asks its host for it, and makes it a volume where it is, once', async () => {
    const rig = await rigWithout();
    const volume = await manage(rig);
    await dispatch(rig, volume);
    const job = await rig.deps.store.jobs.get('host-b', adoptJobId(volume.id, 1));
    await endJob(rig, 'host-b', adoptJobId(volume.id, 1), { result: { object: DISK } });

    const recorded = [await recordVolume(rig.deps)(step(volume)), await recordVolume(rig.deps)(step(volume))];

    expect(job).toMatchObject({ kind: 'volume.adopt', input: { reference: NAMED, place: DESTINATION } });
    expect(recorded).toEqual([{ status: 'available' }, { status: 'available' }]);
    expect(await now(rig, volume)).toMatchObject({
      location: { ...DISK, adoptedBy: volume.id },
      sizeBytes: DISK.sizeBytes,
      writeEpoch: 1,
    });
    expect((await rig.deps.store.open()).volumes).not.toContain(volume.id);
  });

  it.each<[string, ObjectReference]>([
    ['the same name', NAMED],
    ['its id', BY_ID],
  ])('is won by one of two who ask for it at once, the second under %s', async (_what, reference) => {
    const rig = await rigWithout();
    // both are written down before either knows of the other
    const [first, second] = await Promise.all([manage(rig), manage(rig, reference)]);
    await found(rig, first);
    await found(rig, second);

    const recorded = await Promise.allSettled([first, second].map((one) => recordVolume(rig.deps)(step(one))));

    expect(recorded.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = recorded.find((one) => one.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'AlreadyManaged' });
    const volumes = await Promise.all([first, second].map((one) => now(rig, one)));
    expect(volumes.filter((one) => one?.location?.objectName === DISK.objectName)).toHaveLength(1);
  });

  it('is won by one also through two hosts that serve one pool', async () => {
    const rig = await rigWithout();
    const pools = [aPoolReport({ poolId: 'shared' })];
    const backends = [{ name: 'files', driver: 'file', migrationProgressReport: true, pools }];
    for (const id of ['host-d', 'host-e']) await rig.deps.store.hosts.create(aHost(id, { backends }));
    const here = anObject('disk1', { ...DESTINATION, hostId: 'host-d' });
    const there = { ...here, hostId: 'host-e' };
    const [first, second] = await Promise.all([
      manage(rig, { objectName: 'disk1' }, 'host-d@files#ssd'),
      manage(rig, { objectName: 'disk1' }, 'host-e@files#ssd'),
    ]);
    await taken(rig, first, here);

    const error = await refusalOf(taken(rig, second, there));

    expect(error).toMatchObject({ code: 'AlreadyManaged', message: expect.stringContaining(first.id) });
  });

  it('is refused at once while a volume lives on it, keeps it, removes it or takes it over', async () => {
    const kept = aRetained({ object: DISK, expiresAtMs: Number.MAX_SAFE_INTEGER });
    const holders: Partial<Volume>[] = [
      { location: DISK },
      { retained: [kept] },
      { status: 'deleting', location: null, cleanup: [newCleanup(DISK, 'volume')] },
      { status: 'managing', location: null, adopted: { poolId: 'pool-of-host-b', reference: NAMED } },
    ];
    for (const holder of holders) {
      const rig = await rigWithout();
      await rig.deps.store.volumes.create(aVolume({ id: '88888888-8888-4888-8888-888888888888', ...holder }));

      expect(await refusalOf(manage(rig))).toMatchObject({ code: 'AlreadyManaged', httpStatus: 400 });
    }
  });

  it('is no matter of the name alone: in another pool it is another object', async () => {
    const rig = await rigWithout();
    await taken(rig, await manage(rig));
    const elsewhere = await manage(rig, NAMED, 'host-a@files#ssd');

    expect(await taken(rig, elsewhere, anObject('disk1', SOURCE))).toEqual({ status: 'available' });
  });

  it('finds an object that was renamed outside where its volume has it', async () => {
    const rig = await rigWithout();
    await taken(rig, await manage(rig));
    const second = await manage(rig, { objectName: 'renamed' });

    const error = await refusalOf(taken(rig, second, { ...DISK, objectName: 'renamed' }));

    expect(error.code).toBe('AlreadyManaged');
  });

  it('that failed says why; nothing is removed, and another may take it over', async () => {
    const rig = await rigWithout();
    const first = await manage(rig);
    await dispatch(rig, first);
    const missing = volmoveError('ObjectMissing', { object: 'disk1', place: 'host-b@files#ssd' });
    await endJob(rig, 'host-b', adoptJobId(first.id, 1), { failure: missing.toFailure() });
    const error = { Error: 'ObjectMissing', Cause: missing.message };
    await recordVolumeError(rig.deps)({ ...step(first), error });

    expect(await now(rig, first)).toMatchObject({
      status: 'error_managing',
      lastError: { code: 'ObjectMissing', message: missing.message },
      cleanup: [],
    });
    expect(await taken(rig, await manage(rig))).toEqual({ status: 'available' });
  });

  it('whose winner died between its two writes goes on to its end, and the loser stays out', async () => {
    const rig = await rigWithout();
    const [first, second] = await Promise.all([manage(rig), manage(rig)]);
    await found(rig, first);
    await found(rig, second);
    const { adoptions } = rig.deps.store;
    await adoptions.create({ poolId: 'pool-of-host-b', objectName: 'disk1', volumeId: second.id, atMs: 0 });

    const refused = await refusalOf(recordVolume(rig.deps)(step(first)));

    expect(refused.code).toBe('AlreadyManaged');
    expect(await recordVolume(rig.deps)(step(second))).toEqual({ status: 'available' });
  });

  it('whose executions have died is recorded by the sweeper: the winner’s, and the loser’s with the reason', async () => {
    const rig = await rigWithout();
    const both = await Promise.all([manage(rig), manage(rig)]);
    for (const volume of both) {
      await found(rig, volume);
      rig.executions.set(`${volume.id}-1`, { state: 'FAILED', cause: 'stopped' });
    }
    rig.clock.advanceMs(60_000);

    await sweep(rig.deps)({ full: false });

    const ended = await Promise.all(both.map((one) => now(rig, one)));
    const won = ended.filter((one) => one?.status === 'available');
    const lost = ended.filter((one) => one?.status === 'error_managing');
    expect([won.length, lost.map((one) => one?.lastError?.code)]).toEqual([1, ['AlreadyManaged']]);
  });

  it('whose host is lost fails its job, so that its execution ends', async () => {
    const rig = await rigWithout();
    const volume = await manage(rig);
    await dispatch(rig, volume);
    rig.executions.set(`${volume.id}-1`, { state: 'RUNNING', cause: '' });
    rig.clock.advanceMs(60_000);
    await wasThere(rig);

    await sweep(rig.deps)({ full: false });

    expect(rig.tasks.answers).toMatchObject([{ token: volume.id, ok: false, failure: { code: 'HostLost' } }]);
  });

  it('that was given up by a delete meanwhile is not recorded, and takes nothing', async () => {
    const rig = await rigWithout();
    const volume = await manage(rig);
    await found(rig, volume);
    await rig.deps.store.volumes.apply([volume.id], requestDelete(rig.clock.nowMs(), true));

    expect(await recordVolume(rig.deps)(step(volume))).toEqual({ status: 'gone' });
    expect(await now(rig, volume)).toMatchObject({ status: 'deleting', location: null, cleanup: [] });
  });
});

describe('two requests for one object, through the real state machine, turn by turn', () => {
  it('end as one volume that has it and one that says why it has not', async () => {
    const { sim, broken } = await play(ADOPTION);

    const ended = sim.table.peek.volumes().filter(({ adopted }) => adopted !== undefined);
    const won = ended.filter(({ location }) => location?.objectName === 'disk1');
    const lost = ended.filter(({ status }) => status === 'error_managing');
    expect(broken).toBeUndefined();
    expect(won).toMatchObject([{ status: 'available', sizeBytes: 5 * 1024 ** 2 + 512 }]);
    expect(lost).toMatchObject([{ location: null, lastError: { code: 'AlreadyManaged' } }]);
  });
});

describe('deleting a volume that was taken over', () => {
  it('removes its object by a job of its own, and then nobody has the object', async () => {
    const rig = await rigWithout();
    const { store } = rig.deps;
    // another volume has given up another object of that name on the same host: its job has ended long since
    await store.jobs.create(aJob({ hostId: 'host-b', id: 'disk1.volume.1' }));
    const volume = await manage(rig);
    await taken(rig, volume);
    await store.volumes.apply([volume.id], requestDelete(rig.clock.nowMs()));
    const remove = { volumeId: volume.id, operation: 2 };
    await dispatchVolume(rig.deps)({ ...remove, token: 'remove', entered: new Date(0).toISOString(), retry: 0 });

    const job = await store.jobs.get('host-b', `${volume.id}.disk1.volume.1`);
    await endJob(rig, 'host-b', `${volume.id}.disk1.volume.1`, { result: { existed: true } });
    const recorded = await recordVolume(rig.deps)(remove);

    expect(job).toMatchObject({ kind: 'object.remove', input: { objectName: 'disk1', objectId: DISK.objectId } });
    expect(recorded).toEqual({ status: 'gone' });
    expect(await store.adoptions.get('pool-of-host-b', 'disk1')).toBeUndefined();
  });
});

describe('giving up a volume', () => {
  it.each<ObjectReference>([NAMED, BY_ID])(
    'forgets one that was asked for as %j, asks no host for anything, and lets another have the object',
    async (reference) => {
      const rig = await rigWithout();
      const volume = await manage(rig, reference);
      await taken(rig, volume);
      const jobs = await rig.deps.store.jobs.ofHost('host-b');

      await unmanageVolume(rig.deps)(volume.id);

      expect(await now(rig, volume)).toBeUndefined();
      expect(await rig.deps.store.jobs.ofHost('host-b')).toEqual(jobs);
      expect(await rig.deps.store.adoptions.get('pool-of-host-b', 'disk1')).toMatchObject({ released: true });
      expect(await taken(rig, await manage(rig))).toEqual({ status: 'available' });
      expect(await rig.deps.store.adoptions.get('pool-of-host-b', 'disk1')).not.toHaveProperty('released');
    },
  );

  it('is refused while a removal was begun for what it lives on, which would go on without it', async () => {
    const rig = await rigWithout();
    const { location } = await rig.volume();
    if (!location) throw new Error('the volume lives nowhere');
    const cleanup = [newCleanup(location, 'source')];
    await rig.deps.store.migrations.apply([(await rig.migration()).id], (migration) => ({
      kind: 'write',
      next: { ...migration, cleanup },
    }));

    const error = await refusalOf(unmanageVolume(rig.deps)((await rig.volume()).id));

    expect(error).toMatchObject({ code: 'CannotUnmanage', message: expect.stringContaining('being removed') });
  });

  it('keeps a removal out that comes late for what it lived on', async () => {
    const rig = await rigWithout();
    const volume = await rig.volume();
    if (!volume.location) throw new Error('the volume lives nowhere');
    await unmanageVolume(rig.deps)(volume.id);
    const { id } = await rig.migration();
    const entry = newCleanup(volume.location, 'source');
    await rig.deps.store.migrations.apply([id], (now) => ({ kind: 'write', next: { ...now, cleanup: [entry] } }));

    const became = await dispatchRemoval(rig.deps)(migrationEntries(rig.deps, await rig.migration()), entry);

    expect(became).toBe('kept');
    expect((await rig.migration()).cleanup).toMatchObject([{ state: 'dropped' }]);
    expect(await rig.deps.store.jobs.ofHost('host-a')).toEqual([]);
  });

  it('is refused while nobody knows which pool it lives in: what was made there would look like a leftover', async () => {
    const rig = await rigWithout();
    await rig.deps.store.hosts.remove(['host-a'], () => true);

    expect((await refusalOf(unmanageVolume(rig.deps)((await rig.volume()).id))).code).toBe('CannotUnmanage');
  });
});
