import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Job } from '../../domain/job/job.ts';
import { failJob } from '../../domain/job/steps.ts';
import { wishBandwidth, wishPause } from '../../domain/migration/wishes.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { tellResult } from '../../store/results.ts';
import { aHost, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { COPIED, createRig, DESTINATION_OBJECT, endJob, entered, jobId, type Rig } from '../helpers/rig.ts';
import { SUCCESS, walkTo } from './walk.ts';

const COPY = ['host-a', jobId('data.copy')] as const;
const FROM_PREPARE = SUCCESS.slice(SUCCESS.findIndex((step) => step.name === 'PrepareDestination'));
const failure = volmoveError('IoError', { reason: 'bad sector' }).toFailure();

const atCopy = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'CopyData');
  rig.queues.looks.length = 0;
  rig.tasks.answers.length = 0;
  return rig;
};

describe('a dispatched job', () => {
  it('stands on its host’s list with its token, and the agent is told to look', async () => {
    const rig = await atCopy();

    await dispatch(rig.deps)(entered(rig, 'data.copy'));
    const [job, token] = await Promise.all([rig.deps.store.jobs.get(...COPY), rig.deps.store.tokens.get(...COPY)]);

    expect(job).toMatchObject({ kind: 'data.copy', run: 1, attempt: 0, stage: { state: 'queued' } });
    expect(job?.input).toEqual({
      source: SOURCE_OBJECT,
      sizeBytes: GIB,
      peer: { address: 'host-b:9810', fingerprint: 'fingerprint-of-host-b' },
      destinationIsZero: true,
      writeEpoch: 0,
      progressIntervalSeconds: null,
      digest: true,
    });
    expect(token).toMatchObject({ token: 'data.copy/1/0', retryCount: 0, acked: false });
    expect(rig.queues.looks).toEqual(['host-a']);
    expect(rig.tasks.answers).toEqual([]);
  });

  it('carries the wishes of the migration’s options', async () => {
    const rig = await createRig({
      options: { bandwidthBytesPerSecond: 7, progressIntervalSeconds: 3, verify: 'none' },
    });
    await walkTo(rig, 'agent ends data.copy');

    const job = await rig.deps.store.jobs.get(...COPY);

    expect(job?.control.bandwidthBytesPerSecond).toBe(7);
    expect(job?.input).toMatchObject({ progressIntervalSeconds: 3, digest: false });
  });

  it('carries what was wished before the copy began', async () => {
    const rig = await createRig({ options: { bandwidthBytesPerSecond: 7 } });
    await walkTo(rig, 'PrepareDestination');
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishPause('admin', rig.clock.nowMs()));
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishBandwidth(null, 'admin', rig.clock.nowMs()));

    await walkTo(rig, 'agent ends data.copy', FROM_PREPARE);

    expect((await rig.deps.store.jobs.get(...COPY))?.control).toMatchObject({
      paused: true,
      bandwidthBytesPerSecond: null,
    });
  });

  it('hears of what was wished while it was being written', async () => {
    const rig = await atCopy();
    const { jobs } = rig.deps.store;
    const wishesMeanwhile: typeof jobs = {
      ...jobs,
      async create(job) {
        await rig.deps.store.migrations.apply([MIGRATION_ID], wishBandwidth(9, 'admin', rig.clock.nowMs()));
        return jobs.create(job);
      },
    };

    await dispatch({ ...rig.deps, store: { ...rig.deps.store, jobs: wishesMeanwhile } })(entered(rig, 'data.copy'));

    expect((await jobs.get(...COPY))?.control.bandwidthBytesPerSecond).toBe(9);
  });

  it('is written down in the migration before it exists', async () => {
    const rig = await atCopy();
    const { jobs } = rig.deps.store;
    const dies = {
      ...rig.deps,
      store: { ...rig.deps.store, jobs: { ...jobs, create: () => Promise.reject(new Error('dead')) } },
    };

    await expect(dispatch(dies)(entered(rig, 'data.copy'))).rejects.toThrow('dead');

    expect((await rig.migration()).jobs.map((ref) => ref.jobId)).toContain(jobId('data.copy'));
  });

  it('is not made again when its state is entered again; the newer token takes the older one’s place', async () => {
    const rig = await atCopy();
    await dispatch(rig.deps)(entered(rig, 'data.copy'));
    await endJob(rig, ...COPY, { result: COPIED });

    await dispatch(rig.deps)(entered(rig, 'data.copy', 1));
    const job = await rig.deps.store.jobs.get(...COPY);

    expect(job?.stage.state).toBe('succeeded');
    expect(rig.tasks.answers).toMatchObject([{ token: 'data.copy/1/1', ok: true }]);
  });

  it('keeps the newer token when an older dispatch wakes up late', async () => {
    const rig = await atCopy();
    const older = entered(rig, 'data.copy');
    rig.clock.advanceMs(5);
    await dispatch(rig.deps)({ ...entered(rig, 'data.copy'), token: 'newer' });

    await dispatch(rig.deps)(older);
    const token = await rig.deps.store.tokens.get(...COPY);

    expect(token?.token).toBe('newer');
  });
});

describe('dispatch answers at once', () => {
  it('when the job has succeeded already', async () => {
    const rig = await atCopy();
    await dispatch(rig.deps)(entered(rig, 'data.copy'));
    await endJob(rig, ...COPY, { result: COPIED });

    await dispatch(rig.deps)(entered(rig, 'data.copy', 1));

    expect(rig.tasks.answers).toEqual([
      { token: 'data.copy/1/1', ok: true, output: { jobId: jobId('data.copy'), hostId: 'host-a' } },
    ]);
    expect((await rig.deps.store.tokens.get(...COPY))?.acked).toBe(true);
  });

  it('when the job has failed already, with its reason', async () => {
    const rig = await atCopy();
    await dispatch(rig.deps)(entered(rig, 'data.copy'));
    await rig.deps.store.jobs.apply([...COPY], failJob(failure, rig.clock.nowMs()));

    await dispatch(rig.deps)(entered(rig, 'data.copy', 1));

    expect(rig.tasks.answers).toEqual([{ token: 'data.copy/1/1', ok: false, failure }]);
  });

  it('when there is nothing to remove', async () => {
    const rig = await createRig({ options: { sourceRetentionSeconds: 60 } });
    await walkTo(rig, 'RemoveSource');

    await dispatch(rig.deps)(entered(rig, 'source.remove'));

    expect(rig.tasks.answers).toEqual([{ token: 'source.remove/1/0', ok: true, output: { removed: false } }]);
  });
});

describe('a result', () => {
  const withResult = async (): Promise<Rig> => {
    const rig = await atCopy();
    await dispatch(rig.deps)(entered(rig, 'data.copy'));
    await endJob(rig, ...COPY, { result: COPIED });
    return rig;
  };
  const tell = async ({ deps }: Rig): Promise<string> => {
    const job = await deps.store.jobs.get(...COPY);
    return job ? tellResult(deps)(job) : 'no job';
  };

  it('is told once, and not again once it is acked', async () => {
    const rig = await withResult();

    const words = [await tell(rig), await tell(rig)];

    expect(words).toEqual(['told', 'nobody waits']);
    expect(rig.tasks.answers).toHaveLength(1);
  });

  it('counts as told when the state machine does not wait for the token any more', async () => {
    const rig = await withResult();
    rig.tasks.rejects.add('data.copy/1/0');

    await tell(rig);

    expect((await rig.deps.store.tokens.get(...COPY))?.acked).toBe(true);
  });

  it('stays untold for a token that came while the older one was being answered', async () => {
    const rig = await withResult();
    const { tasks } = rig.deps;
    const meanwhile = {
      ...rig.deps,
      tasks: {
        ...tasks,
        succeed: async (token: string, output: object) => {
          rig.clock.advanceMs(1);
          await rig.deps.store.tokens.apply([...COPY], (stored) => ({
            kind: 'write',
            next: { ...stored, token: 'newer', enteredAtMs: rig.clock.nowMs() },
          }));
          return tasks.succeed(token, output);
        },
      },
    };
    const job = await rig.deps.store.jobs.get(...COPY);
    if (!job) throw new Error('no job');

    await tellResult(meanwhile)(job);

    expect(await rig.deps.store.tokens.get(...COPY)).toMatchObject({ token: 'newer', acked: false });
  });

  it('of a job that nobody waits for is told to nobody', async () => {
    const { deps } = await withResult();
    const job = await deps.store.jobs.get(...COPY);
    if (!job?.waiting) throw new Error('nobody waits from the first');
    const { waiting: _, ...alone } = job;
    await deps.store.jobs.apply([...COPY], () => ({ kind: 'write', next: alone as Job }));

    expect(await tellResult(deps)(alone as Job)).toBe('nobody waits');
  });

  it('is not there before the job has ended', async () => {
    const rig = await atCopy();
    await dispatch(rig.deps)(entered(rig, 'data.copy'));

    expect((await refusalOf(tell(rig))).code).toBe('Internal');
  });
});

describe('PrepareDestination', () => {
  it('admits the source’s host alone, and names an object that is this run’s own', async () => {
    const rig = await createRig();
    await walkTo(rig, 'agent ends destination.prepare');

    const job = await rig.deps.store.jobs.get('host-b', jobId('destination.prepare'));

    expect(job?.input).toEqual({
      objectName: DESTINATION_OBJECT.objectName,
      place: { hostId: 'host-b', backend: 'files', pool: 'ssd' },
      sizeBytes: GIB,
      admitFingerprint: 'fingerprint-of-host-a',
    });
    expect(await rig.migration()).toMatchObject({
      objects: [{ run: 1, objectName: DESTINATION_OBJECT.objectName }],
      reservation: { poolId: 'pool-of-host-b', bytes: GIB },
    });
  });

  it('counts on what the host has reported when upkeep has not met the pool yet', async () => {
    const rig = await createRig();
    await rig.deps.store.pools.remove(['pool-of-host-b'], () => true);
    await walkTo(rig, 'PrepareDestination');

    await dispatch(rig.deps)(entered(rig, 'destination.prepare'));

    expect(await rig.deps.store.pools.get('pool-of-host-b')).toMatchObject({
      freeBytes: 100 * GIB,
      reservations: { [MIGRATION_ID]: GIB },
    });
  });

  it('takes nothing from a pool that is full, and makes nothing there', async () => {
    const rig = await createRig();
    await walkTo(rig, 'PrepareDestination');
    await rig.deps.store.pools.apply(['pool-of-host-b'], (pool) => ({
      kind: 'write',
      next: { ...pool, freeBytes: 5, leftBytes: 5 },
    }));

    const refused = await refusalOf(dispatch(rig.deps)(entered(rig, 'destination.prepare')));

    expect(refused.code).toBe('CapacityShort');
    expect(await rig.deps.store.jobs.get('host-b', jobId('destination.prepare'))).toBeUndefined();
    expect((await rig.deps.store.pools.get('pool-of-host-b'))?.reservedBytes).toBe(0);
  });

  it('fails when the pool has gone from its host', async () => {
    const rig = await createRig();
    await walkTo(rig, 'PrepareDestination');
    await rig.deps.store.hosts.apply(['host-b'], () => ({ kind: 'write', next: aHost('host-b', { backends: [] }) }));

    expect((await refusalOf(dispatch(rig.deps)(entered(rig, 'destination.prepare')))).code).toBe('PoolNotFound');
  });
});

describe('a removal', () => {
  it('is refused while the migration has not ended', async () => {
    const rig = await atCopy();

    const refused = await refusalOf(dispatch(rig.deps)(entered(rig, 'destination.remove')));

    expect(refused.code).toBe('ClaimLost');
  });

  it('takes the object out of what the volume keeps before its job is made', async () => {
    const rig = await createRig();
    await walkTo(rig, 'RemoveSource');
    const before = await rig.volume();

    await dispatch(rig.deps)(entered(rig, 'source.remove'));
    const [volume, migration] = [await rig.volume(), await rig.migration()];
    const job = await rig.deps.store.jobs.get('host-a', `${SOURCE_OBJECT.objectName}.1`);

    expect(before.retained).toHaveLength(1);
    expect(volume.retained).toEqual([]);
    expect(migration.cleanup).toMatchObject([{ tries: 1, state: 'todo' }]);
    expect(job).toMatchObject({
      kind: 'object.remove',
      input: { objectName: SOURCE_OBJECT.objectName, objectId: SOURCE_OBJECT.objectId },
    });
  });

  it('is dropped, and answers at once, when the volume lives on the object again', async () => {
    const rig = await createRig();
    await walkTo(rig, 'RemoveSource');
    await rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({
      kind: 'write',
      next: { ...volume, location: SOURCE_OBJECT, retained: [] },
    }));

    await dispatch(rig.deps)(entered(rig, 'source.remove'));

    expect((await rig.migration()).cleanup).toMatchObject([{ state: 'dropped' }]);
    expect(rig.tasks.answers).toMatchObject([{ ok: true, output: { removed: false } }]);
    expect(await rig.deps.store.jobs.get('host-a', `${SOURCE_OBJECT.objectName}.1`)).toBeUndefined();
  });
});
