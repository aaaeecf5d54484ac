import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aMigration, aReport, COPY_SPEC, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';
import { COPY, copying, running, show, withMigration } from './migration-helpers.ts';
import { type World, withVolume } from './world.ts';

describe('fresh progress', () => {
  const fresh = async (world: World) => (await show(world, '/progress?fresh=true')).progress;
  const jobNow = (world: World) => world.store.jobs.get(COPY.hostId, COPY.jobId);

  it('is what the agent reports after it was asked to', async () => {
    const world = await withMigration(copying, running);
    world.meanwhile.act = async () => {
      const reported = aReport({ doneBytes: GIB * 0.75, n: 2, atMs: world.clock.nowMs() });
      await world.store.jobs.apply([COPY.hostId, COPY.jobId], (job) => ({
        kind: 'write',
        next: { ...job, progress: job.control.reportNow === 1 ? reported : job.progress },
      }));
    };

    const progress = await fresh(world);

    expect(progress).toMatchObject({ percent: 75, stale: false, at: '2026-01-01T00:00:00.100Z' });
    expect(world.looks).toEqual([COPY.hostId]);
  });

  it('is the last report, marked as stale, when the agent says nothing for ten seconds', async () => {
    const world = await withMigration(copying, running);

    const progress = await fresh(world);

    expect(progress).toMatchObject({ percent: 50, stale: true });
    expect(world.clock.nowMs() - START_MS).toBe(10_000);
  });

  it('is the end, when the migration ends meanwhile', async () => {
    const world = await withMigration(copying, running);
    world.meanwhile.act = async () => {
      const result = { digest: 'aa', writeEpoch: 0, generation: 1, bytesRead: 0, bytesWritten: 0, durationMs: 1 };
      await world.store.jobs.apply([COPY.hostId, COPY.jobId], (job) => ({
        kind: 'write',
        next: { ...job, stage: { state: 'succeeded', endedAtMs: START_MS, result } },
      }));
    };

    expect(await fresh(world)).toMatchObject({ percent: 50, stale: false });
  });

  it.each<[string, Partial<Migration>, Partial<Job> | undefined]>([
    ['before anything is copied', {}, undefined],
    ['after the end', { ...copying, stage: { state: 'succeeded', endedAtMs: START_MS } }, running],
  ])('needs no agent %s', async (_, migration, job) => {
    const world = await withMigration(migration, job);

    expect((await fresh(world)).stale).toBe(false);
    expect(world.looks).toEqual([]);
  });

  it('that is not asked for leaves the agent alone', async () => {
    const world = await withMigration(copying, running);

    await show(world, '/progress');

    expect((await jobNow(world))?.control.reportNow).toBe(0);
    expect(world.looks).toEqual([]);
  });
});

describe('the events of a migration', () => {
  const story: Migration['story'] = [
    { atMs: START_MS, run: 1, who: 'execution', from: 'requested', to: 'validating', why: null },
  ];
  const ended = { ...copying, story, stage: { state: 'succeeded', endedAtMs: START_MS + 1 } } as const;
  const seen = async (world: World, query = '') => {
    const { events } = await show(world, `/events${query}`);
    return events.map((event: { detail_type: string; detail: { sequence: number } }) => event);
  };

  it('are told again in order', async () => {
    const world = await withMigration(ended, { ...running, recent: [aReport(), aReport({ n: 2 })] });

    const events = await seen(world);

    expect(events.map((event: { detail_type: string }) => event.detail_type)).toEqual([
      'Volume Migration Started',
      'Volume Migration Progress',
      'Volume Migration Progress',
      'Volume Migration Ended',
    ]);
    expect(events[0].detail).toMatchObject({ event_type: 'volume.migrate.start', migration_id: MIGRATION_ID });
  });

  it('are told from where the reader left off', async () => {
    const world = await withMigration(ended, running);
    const [started, ...rest] = await seen(world);

    expect(await seen(world, `?after=${started.detail.sequence}`)).toEqual(rest);
  });

  it('refuse a position that is none', async () => {
    const world = await withMigration();

    const answer = await world.ask('GET', `/v3/migrations/${MIGRATION_ID}/events?after=x`);

    expect(answer.body.badRequest.message).toBe('after param must be an integer');
  });
});

describe('cancelling a migration', () => {
  const cancel = (world: World, body: object = { cancel: {} }) =>
    world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body });

  it('is a wish to the migration, then to its active job, then a hint to the agent', async () => {
    const world = await withMigration(copying, running);

    const answer = await cancel(world);

    expect(answer).toMatchObject({ status: 202, body: { migration: { id: MIGRATION_ID, cancel_wished: true } } });
    expect((await world.store.migrations.get(MIGRATION_ID))?.wishes.cancel).toEqual({ by: 'root', atMs: START_MS });
    expect((await world.store.jobs.get(COPY.hostId, COPY.jobId))?.control.cancel).toBe(true);
    expect(world.looks).toEqual([COPY.hostId]);
  });

  it('ends a job that no agent has taken at once', async () => {
    const world = await withMigration(copying, {});

    await cancel(world);

    expect((await world.store.jobs.get(COPY.hostId, COPY.jobId))?.stage).toMatchObject({
      state: 'failed',
      failure: { code: 'Cancelled' },
    });
  });

  it('before there is a job is left to the next step', async () => {
    const world = await withMigration();

    const answer = await cancel(world, { cancel: null });

    expect(answer.status).toBe(202);
    expect(world.looks).toEqual([]);
  });

  it('again changes nothing', async () => {
    const world = await withMigration(copying, running);
    await cancel(world);
    const before = await world.store.migrations.get(MIGRATION_ID);

    const again = await cancel(world);

    expect(again.status).toBe(202);
    expect(await world.store.migrations.get(MIGRATION_ID)).toEqual(before);
  });

  it('comes too late after the end', async () => {
    const world = await withMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } });

    const answer = await cancel(world);

    expect(answer.status).toBe(409);
    expect(answer.body.conflictingRequest).toMatchObject({
      error_code: 'TooLate',
      message: `Migration ${MIGRATION_ID} cannot be cancelled: it has succeeded.`,
    });
  });

  it('comes too late while the backend switches over', async () => {
    const world = await withMigration(copying, running);
    const { options } = aMigration();
    await withVolume(world, {
      claim: {
        migrationId: MIGRATION_ID,
        run: 1,
        fence: 1,
        lock: false,
        phase: 'switching',
        destination: DESTINATION,
        options,
        previousStatus: 'available',
        rollback: null,
        claimedAtMs: 0,
      },
    });

    const answer = await cancel(world);

    expect(answer.status).toBe(409);
    expect((await world.store.migrations.get(MIGRATION_ID))?.wishes.cancel).toBeNull();
  });

  it.each([
    [{}, 'Malformed request body: it names no action'],
    [{ cancel: {}, explode: {} }, 'There is no such action: cancel, explode'],
    [{ toString: {} }, 'There is no such action: toString'],
    [{ cancel: 'now' }, "Invalid input for field/attribute cancel. Value: now. 'now' is not of type 'object'"],
  ])('takes no other action: %j', async (body, message) => {
    const world = await withMigration();

    const answer = await cancel(world, body);

    expect(answer.body.badRequest.message).toBe(message);
  });

  it('is not confused by the jobs of an earlier run', async () => {
    const verify = { ...COPY, jobId: `${MIGRATION_ID}.2.data.copy`, run: 2 };
    const world = await withMigration({ ...copying, run: 2, jobs: [verify, COPY] }, running);
    await world.store.jobs.create(aJob({ ...running, id: verify.jobId, run: 2 }, COPY_SPEC));

    await cancel(world);

    expect((await world.store.jobs.get(COPY.hostId, COPY.jobId))?.control.cancel).toBe(false);
    expect((await world.store.jobs.get(COPY.hostId, verify.jobId))?.control.cancel).toBe(true);
  });
});
