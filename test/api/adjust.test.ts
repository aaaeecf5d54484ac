import { describe, expect, it } from 'vitest';
import { wishBandwidth, wishPause } from '../../domain/migration/wishes.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aMigration, aReport, COPY_SPEC, MIGRATION_ID, OPTIONS } from '../helpers/factories.ts';
import { COPY, copying, running, show, withMigration } from './migration-helpers.ts';
import { createWorld, MEMBER, type World } from './world.ts';

const MIB = 1024 * 1024;

const act = (world: World, body: object, token?: string) =>
  world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body, ...(token === undefined ? {} : { token }) });
const limit = (world: World, bytes: unknown) => act(world, { set_bandwidth: { bytes_per_second: bytes } });
const controlOf = async (world: World, jobId: string = COPY.jobId) =>
  (await world.store.jobs.get(COPY.hostId, jobId))?.control;

describe('a limit that is set while a migration runs', () => {
  it('is a wish to the migration, then to its active job, then a hint to the agent', async () => {
    const world = await withMigration(copying, running);

    const answer = await limit(world, 200 * MIB);

    expect(answer).toMatchObject({
      status: 202,
      body: { migration: { id: MIGRATION_ID, bandwidth_bytes_per_second: 200 * MIB } },
    });
    const stored = await world.store.migrations.get(MIGRATION_ID);
    expect(stored?.wishes.bandwidth).toEqual({ by: 'root', atMs: START_MS, bytesPerSecond: 200 * MIB });
    expect((await controlOf(world))?.bandwidthBytesPerSecond).toBe(200 * MIB);
    expect(world.looks).toEqual([COPY.hostId]);
    expect(answer.body.migration.story.at(-1)).toMatchObject({ who: 'root', why: 'limited to 200 MiB/s' });
  });

  it('of null lifts the one that was asked for at first', async () => {
    const options = { ...OPTIONS, bandwidthBytesPerSecond: 5 };
    const control = { cancel: false, paused: false, reportNow: 0, bandwidthBytesPerSecond: 5 };
    const world = await withMigration({ ...copying, options }, { ...running, control });
    const before = (await show(world)).migration.bandwidth_bytes_per_second;

    const answer = await limit(world, null);

    expect([before, answer.body.migration.bandwidth_bytes_per_second]).toEqual([5, null]);
    expect((await controlOf(world))?.bandwidthBytesPerSecond).toBeNull();
  });

  it('before there is a job is left to the next step', async () => {
    const world = await withMigration();

    const answer = await limit(world, 7);

    expect(answer.status).toBe(202);
    expect(world.looks).toEqual([]);
  });

  it('again changes nothing, and hints at nothing', async () => {
    const world = await withMigration(copying, running);
    await limit(world, 7);
    const before = await world.store.migrations.get(MIGRATION_ID);

    await limit(world, 7);

    expect(await world.store.migrations.get(MIGRATION_ID)).toEqual(before);
    expect(world.looks).toHaveLength(1);
  });

  it('is refused where dd copies, and after the end', async () => {
    const byDd = await withMigration({ ...copying, options: { ...OPTIONS, copyEngine: 'dd' } }, running);
    const ended = await withMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } });

    const answers = await Promise.all([byDd, ended].map((world) => limit(world, 7)));

    expect(answers.map(({ status }) => status)).toEqual([409, 409]);
    expect(answers.map(({ body }) => body.conflictingRequest.error_code)).toEqual(['CannotAdjust', 'CannotAdjust']);
    expect((await controlOf(byDd))?.bandwidthBytesPerSecond).toBeNull();
  });

  it.each([
    [{ bytes_per_second: 0 }, '0 is less than the minimum of 1'],
    [{ bytes_per_second: 1.5 }, "1.5 is not of type 'integer'"],
    [{}, "'bytes_per_second' is a required property"],
    [{ bytes_per_second: 1, more: 1 }, "Additional properties are not allowed ('more' was unexpected)"],
    [null, "None is not of type 'object'"],
  ])('takes no %j', async (argument, why) => {
    const world = await withMigration(copying, running);

    const answer = await act(world, { set_bandwidth: argument });

    expect(answer.status).toBe(400);
    expect(answer.body.badRequest.message).toContain(why);
  });
});

describe('a pause over HTTP', () => {
  it('is a wish to the migration and its job; it shows who wished it, and when the agent has settled', async () => {
    const world = await withMigration(copying, running);

    const answer = await act(world, { pause: {} });
    const wished = (await show(world)).migration;
    await world.store.jobs.apply([COPY.hostId, COPY.jobId], (job) => ({
      kind: 'write',
      next: { ...job, progress: aReport({ activity: 'paused', rateBytesPerSecond: 0 }) },
    }));
    const settled = (await show(world)).migration;

    expect(answer.status).toBe(202);
    expect((await controlOf(world))?.paused).toBe(true);
    expect(world.looks).toEqual([COPY.hostId]);
    expect(wished).toMatchObject({
      paused: { by: 'root', at: '2026-01-01T00:00:00.000Z' },
      progress: { activity: 'copying' },
    });
    expect(settled.progress).toMatchObject({ activity: 'paused', rate_bytes_per_second: 0, eta_seconds: null });
  });

  it('of a job that nobody has taken is settled at once', async () => {
    const world = await withMigration(copying, {});

    const answer = await act(world, { pause: null });

    expect(answer.body.migration.progress.activity).toBe('paused');
  });

  it('is over when it is resumed', async () => {
    const world = await withMigration(copying, running);
    await act(world, { pause: {} });

    const answer = await act(world, { resume: {} });

    expect(answer.body.migration.paused).toBeNull();
    expect((await controlOf(world))?.paused).toBe(false);
    expect(world.looks).toEqual([COPY.hostId, COPY.hostId]);
  });

  it('does not show any more when nothing can be paused', async () => {
    const pause = { by: 'root', atMs: START_MS };
    const wishes = { cancel: null, pause, bandwidth: null };
    const stage = { state: 'running', phase: 'finalizing', phaseSinceMs: START_MS } as const;
    const world = await withMigration({ ...copying, stage, wishes });

    expect((await show(world)).migration.paused).toBeNull();
  });

  it.each([{ pause: {} }, { resume: {} }, { set_bandwidth: { bytes_per_second: 1 } }])(
    'is for administrators alone: %j',
    async (body) => {
      const world = await withMigration(copying, running);

      expect((await act(world, body, MEMBER)).status).toBe(403);
    },
  );

  it('of an unknown migration is not found', async () => {
    const world = createWorld();

    expect((await act(world, { pause: {} })).body.itemNotFound.error_code).toBe('MigrationNotFound');
  });
});

describe('two who wish at once', () => {
  /** Runs `meanwhile` once, just before the first write to a job. */
  const disturbed = (records: Records, meanwhile: () => Promise<unknown>): Records => {
    let done = false;
    return {
      ...records,
      async put(item, rev) {
        if (!done && item.sk.startsWith('JOB#') && rev > 0) {
          done = true;
          await meanwhile();
        }
        return records.put(item, rev);
      },
    };
  };

  it('leave the job with the wish that stands in the migration, in whatever order they come to the job', async () => {
    const records = memoryRecords();
    let other: () => Promise<unknown> = async () => undefined;
    const world = createWorld(disturbed(records, () => other()));
    await world.store.migrations.create(aMigration(copying));
    await world.store.jobs.create(aJob(running, COPY_SPEC));
    const plain = createWorld(records);
    other = () => limit(plain, 2);

    await limit(world, 1);

    const stored = await world.store.migrations.get(MIGRATION_ID);
    expect(stored?.wishes.bandwidth?.bytesPerSecond).toBe(2);
    expect((await controlOf(world))?.bandwidthBytesPerSecond).toBe(2);
  });

  it('of different things both have their way', async () => {
    const world = await withMigration(copying, running);
    await world.store.migrations.apply([MIGRATION_ID], wishPause('ann', START_MS));
    await world.store.migrations.apply([MIGRATION_ID], wishBandwidth(9, 'bob', START_MS));

    await limit(world, 8);

    expect(await controlOf(world)).toMatchObject({ paused: true, bandwidthBytesPerSecond: 8 });
  });
});
