import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import { NO_CONTROL } from '../../domain/job/job.ts';
import { wishPriority } from '../../domain/migration/wishes.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { START_MS } from '../helpers/clock.ts';
import { aHost, aJob, aMigration, aReport, MIGRATION_ID, OPTIONS, SOURCE } from '../helpers/factories.ts';
import { COPY, copying, running, show, withMigration } from './migration-helpers.ts';
import { createWorld, MEMBER, type World } from './world.ts';

const act = (world: World, body: object, token?: string) =>
  world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body, ...(token === undefined ? {} : { token }) });
const prioritise = (world: World, priority: unknown) => act(world, { set_priority: { priority } });

const idOf = (n: number): string => `44444444-4444-4444-8444-${String(n).padStart(12, '0')}`;
const atWork: Partial<Job> = { attempt: 1, stage: { state: 'running', incarnation: 'host-a-1', sinceMs: START_MS } };

/** So many migrations copy from host-a, the first two of them at work on its two places; the newest was queued last. */
const crowd = async (count: number, change: (n: number) => Partial<Job> = () => ({})): Promise<World> => {
  const reads = memoryRecords();
  const world = createWorld(reads);
  await world.store.hosts.create(aHost(SOURCE.hostId, { concurrency: 2 }));
  for (let n = 0; n < count; n++) {
    const ref = { ...COPY, jobId: `${idOf(n)}.1.data.copy` };
    await world.store.migrations.create(aMigration({ ...copying, id: idOf(n), jobs: [ref] }));
    const asked = { id: ref.jobId, migrationId: idOf(n), queuedAtMs: START_MS + n };
    await world.store.jobs.create({ ...aJob(), ...asked, ...(n < 2 ? atWork : {}), ...change(n) } as Job);
  }
  return world;
};
const progressOf = async (world: World, n: number) =>
  (await world.ask('GET', `/v3/migrations/${idOf(n)}/progress`)).body.progress;

describe('a priority', () => {
  it('is normal unless another was asked for', async () => {
    const usual = await withMigration();
    const asked = await withMigration({ options: { ...OPTIONS, priority: 'high' } });

    expect([(await show(usual)).migration.priority, (await show(asked)).migration.priority]).toEqual([
      'normal',
      'high',
    ]);
  });

  it('that is changed is a wish to the migration, then to its active job, then a hint to the agent', async () => {
    const world = await withMigration(copying, running);

    const answer = await prioritise(world, 'high');

    expect(answer).toMatchObject({ status: 202, body: { migration: { id: MIGRATION_ID, priority: 'high' } } });
    const stored = await world.store.migrations.get(MIGRATION_ID);
    expect(stored?.wishes.priority).toEqual({ by: 'root', atMs: START_MS, level: 'high' });
    expect((await world.store.jobs.get(COPY.hostId, COPY.jobId))?.control.priority).toBe('high');
    expect(world.looks).toEqual([COPY.hostId]);
    expect(answer.body.migration.story.at(-1)).toMatchObject({ who: 'root', why: 'priority high' });
  });

  it('again changes nothing, and hints at nothing', async () => {
    const world = await withMigration(copying, running);
    await prioritise(world, 'low');
    const before = await world.store.migrations.get(MIGRATION_ID);

    await prioritise(world, 'low');

    expect(await world.store.migrations.get(MIGRATION_ID)).toEqual(before);
    expect(world.looks).toHaveLength(1);
  });

  it('before there is a job is left to the next step', async () => {
    const world = await withMigration();

    expect((await prioritise(world, 'high')).status).toBe(202);
    expect((await world.store.migrations.get(MIGRATION_ID))?.wishes.priority).toMatchObject({ level: 'high' });
    expect(world.looks).toEqual([]);
  });

  it('is refused once it has ended, is switched over, or is moved by its backend', async () => {
    const worlds = [
      await withMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } }),
      await withMigration({ stage: { state: 'running', phase: 'finalizing', phaseSinceMs: START_MS } }),
      await withMigration({ stage: { state: 'running', phase: 'moving', phaseSinceMs: START_MS } }),
    ];

    const answers = await Promise.all(worlds.map((world) => prioritise(world, 'high')));

    expect(answers.map(({ body }) => body.conflictingRequest.error_code)).toEqual(Array(3).fill('CannotAdjust'));
    expect(answers.at(-1)?.body.conflictingRequest.message).toContain('it waits for nothing');
  });

  it.each([[{ priority: 'urgent' }], [{ priority: 50 }], [{}], [{ priority: 'low', more: 1 }], [null]])(
    'takes no %j',
    async (argument) => {
      const world = await withMigration(copying, running);

      expect((await act(world, { set_priority: argument })).status).toBe(400);
    },
  );

  it('is for administrators alone', async () => {
    const world = await withMigration(copying, running);

    expect((await act(world, { set_priority: { priority: 'high' } }, MEMBER)).status).toBe(403);
  });
});

describe('a place in the queue', () => {
  it('is shown with what it waits for, and the copy says that it is queued', async () => {
    const world = await crowd(5);

    const progress = await progressOf(world, 4);

    expect(progress).toMatchObject({
      phase: 'copying',
      activity: 'queued',
      queue: { position: 3, of: 3, waiting_for: 'host', host: 'host-a', backend: 'files' },
      rate_bytes_per_second: 0,
      eta_seconds: null,
      stalled_since: null,
    });
    const { migration } = (await world.ask('GET', `/v3/migrations/${idOf(4)}`)).body;
    expect(migration.progress).toEqual(progress);
  });

  it('is none for a copy that is at work, or paused', async () => {
    const world = await crowd(4, (n) => (n === 3 ? { control: { ...NO_CONTROL, paused: true } } : {}));

    expect(await progressOf(world, 0)).toMatchObject({ activity: 'copying', queue: null });
    expect(await progressOf(world, 3)).toMatchObject({ activity: 'paused', queue: null });
    expect(await progressOf(world, 2)).toMatchObject({ queue: { position: 1, of: 1 } });
  });

  it('moves to the front by a priority', async () => {
    const world = await crowd(5);
    await world.store.migrations.apply([idOf(4)], wishPriority('low', 'ann', START_MS));

    const raised = await world.ask('POST', `/v3/migrations/${idOf(4)}/action`, {
      body: { set_priority: { priority: 'high' } },
    });

    expect(raised.body.migration.progress.queue).toMatchObject({ position: 1, of: 3 });
    expect((await progressOf(world, 2)).queue).toMatchObject({ position: 2, of: 3 });
  });

  it('says when the limit of the backend is what it waits for', async () => {
    const world = await crowd(3);
    await world.store.hosts.apply(['host-a'], (host) => ({
      kind: 'write',
      next: { ...host, concurrency: 9, backends: host.backends.map((one) => ({ ...one, concurrency: 2 })) },
    }));

    expect((await progressOf(world, 2)).queue).toMatchObject({ position: 1, of: 1, waiting_for: 'backend' });
  });

  it('is one again for a copy that was paused, whose agent says that it waits', async () => {
    const progress = aReport({ activity: 'queued', rateBytesPerSecond: 77 });
    const world = await crowd(3, (n) => (n === 2 ? { ...atWork, progress } : {}));

    expect(await progressOf(world, 2)).toMatchObject({
      activity: 'queued',
      queue: { position: 1, of: 1 },
      done_bytes: progress.doneBytes,
      rate_bytes_per_second: 0,
      eta_seconds: null,
    });
  });

  it('is one for a copy that an agent has left behind and its successor has not taken yet', async () => {
    const left = { stage: { state: 'running', incarnation: 'host-a-0', sinceMs: START_MS } } as const;
    const world = await crowd(3, (n) => (n === 2 ? left : {}));

    expect(await progressOf(world, 2)).toMatchObject({ activity: 'queued', queue: { position: 1, of: 1 } });
  });

  it('is answered at once where a fresh report is asked for: nobody could report', async () => {
    const world = await crowd(3);

    const { body } = await world.ask('GET', `/v3/migrations/${idOf(2)}/progress?fresh=true`);

    expect(body.progress).toMatchObject({ activity: 'queued', stale: false });
    expect(world.looks).toEqual([]);
  });

  it('has no number where the host is not known: the copy is shown as queued, and no more', async () => {
    const world = await withMigration(copying, {});

    expect((await show(world, '/progress')).progress).toMatchObject({ activity: 'queued', queue: null });
  });
});

describe('a list of migrations', () => {
  const counting = (world: World) => {
    const asked: string[] = [];
    const jobs = { ...world.store.jobs };
    Object.assign(world.store.jobs, {
      openOfHost: (hostId: string) => {
        asked.push(hostId);
        return jobs.openOfHost(hostId);
      },
    });
    return asked;
  };

  it('reads the queue of a host once, however many wait in it', async () => {
    const world = await crowd(9);
    const asked = counting(world);

    const { body } = await world.ask('GET', '/v3/migrations');

    const positions = body.migrations.map(
      (one: { progress: { queue: { position: number } | null } }) => one.progress.queue?.position ?? null,
    );
    expect(new Set(positions)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, null]));
    expect(asked).toEqual(['host-a']);
  });

  it('reads none where nobody waits', async () => {
    const world = await crowd(2);
    const asked = counting(world);

    await world.ask('GET', '/v3/migrations');

    expect(asked).toEqual([]);
  });
});
