import { describe, expect, it } from 'vitest';
import { removalJobId } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { createJobId } from '../../domain/job/job.ts';
import { createdObjectName } from '../../domain/names.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatchVolume } from '../../functions/workflow/dispatch/volume.ts';
import { recordVolume, recordVolumeError } from '../../functions/workflow/steps/record-volume.ts';
import { anObject, aRetained, aVolume, DESTINATION, SOURCE, SOURCE_OBJECT } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, endJob, type Rig, wasThere } from '../helpers/rig.ts';

const ID = '55555555-5555-4555-8555-555555555555';
const CREATE = { volumeId: ID, operation: 1 };
const DELETE = { volumeId: ID, operation: 2 };
const MADE = anObject(createdObjectName(ID, 1), DESTINATION);
const full = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const JOB = ['host-b', createJobId(ID, 1)] as const;

const waiting = (rig: Rig, token: string, retry = 0) => ({
  token,
  entered: new Date(rig.clock.nowMs()).toISOString(),
  retry,
});
const volume = ({ deps }: Rig) => deps.store.volumes.get(ID);

const creating = async (): Promise<Rig> => {
  const rig = await createRig({ claimed: false });
  await rig.deps.store.volumes.create(aVolume({ id: ID, status: 'creating', location: null, placement: DESTINATION }));
  await dispatchVolume(rig.deps)({ ...CREATE, ...waiting(rig, 'create') });
  return rig;
};

const deleting = async (retained = false): Promise<Rig> => {
  const rig = await createRig({ claimed: false });
  const kept = aRetained({
    object: anObject('kept', SOURCE),
    migrationId: 'm',
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  });
  await rig.deps.store.volumes.create(aVolume({ id: ID, location: MADE, retained: retained ? [kept] : [] }));
  await rig.deps.store.volumes.apply([ID], requestDelete(rig.clock.nowMs()));
  await dispatchVolume(rig.deps)({ ...DELETE, ...waiting(rig, 'delete') });
  return rig;
};

const removeNext = async (rig: Rig): Promise<void> => {
  const entry = (await volume(rig))?.cleanup.find(({ state, tries }) => state === 'todo' && tries > 0);
  if (!entry) throw new Error('no removal is on its way');
  await endJob(rig, entry.placement.hostId, removalJobId(entry, entry.tries), { result: { existed: true } });
};

describe('creating a volume', () => {
  it('asks its host for an object that is this operation’s own', async () => {
    const rig = await creating();

    expect(await rig.deps.store.jobs.get(...JOB)).toMatchObject({
      kind: 'volume.create',
      migrationId: null,
      input: { objectName: MADE.objectName, place: DESTINATION, sizeBytes: GIB },
    });
    expect(rig.queues.looks).toEqual(['host-b']);
  });

  it('makes it available where the agent has made it, once', async () => {
    const rig = await creating();
    await endJob(rig, ...JOB, { result: { object: MADE } });

    const first = await recordVolume(rig.deps)(CREATE);
    const again = await recordVolume(rig.deps)(CREATE);

    expect([first, again]).toEqual([{ status: 'available' }, { status: 'available' }]);
    expect(await volume(rig)).toMatchObject({ status: 'available', location: MADE, lastError: null });
  });

  it('answers at once when it is entered again after its end', async () => {
    const rig = await creating();
    await endJob(rig, ...JOB, { result: { object: MADE } });
    await recordVolume(rig.deps)(CREATE);

    await dispatchVolume(rig.deps)({ ...CREATE, ...waiting(rig, 'again', 1) });

    expect(rig.tasks.answers.at(-1)).toEqual({ token: 'again', ok: true, output: { done: true } });
  });

  it('that failed says why, and has whatever was made removed', async () => {
    const rig = await creating();
    await endJob(rig, ...JOB, { failure: full });
    const refused = await refusalOf(recordVolume(rig.deps)(CREATE));

    await recordVolumeError(rig.deps)({ ...CREATE, error: { Error: 'NoSpace', Cause: '{"errorMessage":"full"}' } });
    rig.clock.advanceMs(60_000);
    await sweep(rig.deps)({ full: false });
    await removeNext(rig);
    await sweep(rig.deps)({ full: false });

    expect(refused.code).toBe('NoProof');
    expect(await volume(rig)).toMatchObject({
      status: 'error',
      lastError: { code: 'NoSpace', message: 'full' },
      cleanup: [{ objectName: MADE.objectName, state: 'done' }],
    });
    expect((await rig.deps.store.open()).volumes).toEqual([]);
  });

  it('whose host is lost ends as an error, and the object is removed when the host is back', async () => {
    const rig = await creating();
    rig.executions.set(`${ID}-1`, { state: 'RUNNING', cause: '' });
    rig.clock.advanceMs(60_000);
    await wasThere(rig);

    await sweep(rig.deps)({ full: false });

    expect(rig.tasks.answers).toMatchObject([{ token: 'create', ok: false, failure: { code: 'HostLost' } }]);
  });
});

describe('deleting a volume', () => {
  it('removes its object, then the volume itself', async () => {
    const rig = await deleting();
    await removeNext(rig);

    const recorded = await recordVolume(rig.deps)(DELETE);
    const again = await recordVolume(rig.deps)(DELETE);

    expect([recorded, again]).toEqual([{ status: 'gone' }, { status: 'gone' }]);
    expect(await volume(rig)).toBeUndefined();
  });

  it('with kept objects removes them all before the volume goes, and is no error meanwhile', async () => {
    const rig = await deleting(true);
    await removeNext(rig);
    const recorded = await recordVolume(rig.deps)(DELETE);
    rig.executions.set(`${ID}-2`, { state: 'SUCCEEDED', cause: '' });
    rig.clock.advanceMs(60_000);

    await sweep(rig.deps)({ full: false });
    const between = await volume(rig);
    await removeNext(rig);
    await sweep(rig.deps)({ full: false });

    expect(recorded).toEqual({ status: 'deleting' });
    expect(between?.status).toBe('deleting');
    expect(await volume(rig)).toBeUndefined();
  });

  it('that failed says so, keeps the volume, and goes on trying', async () => {
    const rig = await deleting();
    const busy = volmoveError('ObjectBusy', { object: MADE.objectName, reason: 'mapped' }).toFailure();
    const [entry] = (await volume(rig))?.cleanup ?? [];
    if (entry) await endJob(rig, 'host-b', removalJobId(entry, 1), { failure: busy });

    await recordVolumeError(rig.deps)({ ...DELETE, error: { Error: 'ObjectBusy', Cause: 'mapped' } });
    const failed = await volume(rig);
    rig.clock.advanceMs(60_000);
    await sweep(rig.deps)({ full: false });
    await removeNext(rig);
    await sweep(rig.deps)({ full: false });

    expect(failed).toMatchObject({ status: 'error_deleting', lastError: { code: 'ObjectBusy' }, location: null });
    expect(await volume(rig)).toBeUndefined();
  });

  it('of an operation that is over changes nothing', async () => {
    const rig = await deleting();

    await recordVolumeError(rig.deps)({ ...CREATE, error: { Error: 'NoSpace', Cause: '' } });

    expect(await volume(rig)).toMatchObject({ status: 'deleting', operation: 2 });
  });

  it('never removes another volume’s object', async () => {
    const rig = await deleting();
    await removeNext(rig);
    await recordVolume(rig.deps)(DELETE);

    expect((await rig.volume()).location).toEqual(SOURCE_OBJECT);
  });
});
