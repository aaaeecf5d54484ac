import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { GIB } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aJob,
  aMigration,
  anObject,
  aReport,
  DESTINATION,
  MIGRATION_ID,
  SOURCE,
  VOLUME_ID,
} from '../helpers/factories.ts';
import { copying, running, show, withMigration } from './migration-helpers.ts';
import { createWorld, MEMBER, type World } from './world.ts';

describe('a migration', () => {
  it('that copies shows how far it is', async () => {
    const world = await withMigration(copying, running);

    const { migration } = await show(world);

    expect(migration).toMatchObject({
      id: MIGRATION_ID,
      volume_id: VOLUME_ID,
      state: 'running',
      phase: 'copying',
      requested_at: '2026-01-01T00:00:00.000Z',
      ended_at: null,
      cancel_wished: false,
      paused: null,
      bandwidth_bytes_per_second: null,
      digests: null,
      bytes_read: null,
      story: [{ at: '2026-01-01T00:00:00.000Z', run: 1, who: 'admin', from: 'none', to: 'requested', why: null }],
    });
    expect(migration.progress).toEqual({
      phase: 'copying',
      done_bytes: GIB / 2,
      total_bytes: GIB,
      percent: 50,
      rate_bytes_per_second: 1024,
      eta_seconds: GIB / 2 / 1024,
      attempt: 1,
      at: '2026-01-01T00:00:00.000Z',
      stale: false,
      stalled_since: null,
      activity: 'copying',
      zeroing: null,
      queue: null,
    });
  });

  it('that zeroes the end of its destination says so, with a time of arrival of its own', async () => {
    const zeroing = { doneBytes: GIB, totalBytes: 3 * GIB };
    const progress = aReport({ doneBytes: GIB, rateBytesPerSecond: GIB, activity: 'zeroing', zeroing });
    const world = await withMigration(copying, { ...running, progress });

    const shown = (await show(world, '/progress')).progress;

    expect(shown).toMatchObject({
      phase: 'copying',
      activity: 'zeroing',
      zeroing: { done_bytes: GIB, total_bytes: 3 * GIB },
      percent: 99,
      eta_seconds: 2,
    });
  });

  it('that verifies shows the bytes that were read back', async () => {
    const ref = { hostId: 'host-b', jobId: `${MIGRATION_ID}.1.data.verify`, kind: 'data.verify', run: 1 } as const;
    const stage = { state: 'running', phase: 'verifying', phaseSinceMs: START_MS } as const;
    const world = await withMigration(
      { stage, jobs: [...copying.jobs, ref] },
      { ...running, progress: aReport({ doneBytes: GIB }) },
    );
    const input = { object: anObject('o', DESTINATION), sizeBytes: GIB, progressIntervalSeconds: null, digest: true };
    const verifying = { ...running, hostId: ref.hostId, progress: aReport({ doneBytes: GIB / 4 }) };
    await world.store.jobs.create(aJob(verifying, { kind: 'data.verify', input }));

    const shown = (await show(world, '/progress')).progress;

    expect(shown).toMatchObject({
      phase: 'verifying',
      activity: 'verifying',
      percent: 25,
      rate_bytes_per_second: 1024,
      eta_seconds: (GIB * 0.75) / 1024,
    });
  });

  it('that has stalled says since when, and no time of arrival', async () => {
    const world = await withMigration(copying, {
      ...running,
      progress: aReport({ rateBytesPerSecond: 0 }),
      stalledSinceMs: START_MS,
    });

    const { progress } = await show(world, '/progress');

    expect(progress).toMatchObject({
      eta_seconds: null,
      rate_bytes_per_second: 0,
      stalled_since: '2026-01-01T00:00:00.000Z',
    });
  });

  it('never shows 100 percent before it has succeeded', async () => {
    const whole = { ...running, progress: aReport({ doneBytes: GIB }) };
    const finalizing = {
      ...copying,
      stage: { state: 'running', phase: 'finalizing', phaseSinceMs: START_MS },
    } as const;

    const shown = await Promise.all(
      [copying, finalizing].map(
        async (change) => (await show(await withMigration(change, whole), '/progress')).progress,
      ),
    );

    expect(shown.map((progress) => progress.percent)).toEqual([99, 99]);
  });

  it('that has succeeded shows all of it, digests and what was moved', async () => {
    const world = await withMigration({
      ...copying,
      stage: { state: 'succeeded', endedAtMs: START_MS + 4000 },
      report: {
        sourceDigest: 'aa',
        destinationDigest: 'aa',
        readback: 'cached',
        bytesRead: 7,
        bytesWritten: 5,
        copyMs: 1000,
      },
      cleanup: [{ ...newCleanup({ objectName: 'o', ...SOURCE }, 'source'), state: 'done' }],
    });

    const { migration } = await show(world);

    expect(migration).toMatchObject({
      state: 'succeeded',
      phase: 'succeeded',
      ended_at: '2026-01-01T00:00:04.000Z',
      verified: 'cached',
      digests: { source: 'aa', destination: 'aa' },
      bytes_read: 7,
      bytes_written: 5,
      cleanup: { state: 'done', left: [] },
      progress: { phase: 'succeeded', percent: 100, done_bytes: GIB, rate_bytes_per_second: GIB, eta_seconds: null },
    });
  });

  it('that has failed says why, how far it was, and what is left where', async () => {
    const reason = volmoveError('Cancelled', { by: 'root' }).toFailure();
    const failure = volmoveError('ObjectBusy', { object: 'o', reason: 'open' }).toFailure();
    const left = {
      ...newCleanup({ objectName: 'o', ...DESTINATION }, 'destination', 1),
      tries: 3,
      failedTries: 3,
      lastFailure: failure,
    };
    const world = await withMigration(
      { ...copying, stage: { state: 'failed', endedAtMs: START_MS, reason }, cleanup: [left] },
      { ...running, stage: { state: 'failed', endedAtMs: START_MS, failure: reason } },
    );

    const { migration } = await show(world);

    expect(migration).toMatchObject({
      state: 'failed',
      reason,
      cleanup: {
        state: 'needs_you',
        left: [{ object: 'o', host: 'host-b@files#ssd', tries: 3, reason: failure.message }],
      },
      progress: { percent: 50, rate_bytes_per_second: 0, eta_seconds: null },
    });
  });

  it.each(['', '/progress', '/events'])('that is unknown is not found%s', async (path) => {
    const world = createWorld();

    const answer = await world.ask('GET', `/v3/migrations/nobody${path}`);

    expect(answer.body.itemNotFound).toEqual({
      code: 404,
      message: 'Migration nobody could not be found.',
      error_code: 'MigrationNotFound',
      remedy: 'List the migrations: volmove list.',
    });
  });

  it.each(['', `/${MIGRATION_ID}`, `/${MIGRATION_ID}/progress`])('is for administrators alone%s', async (path) => {
    const world = await withMigration();

    const answer = await world.ask('GET', `/v3/migrations${path}`, { token: MEMBER });

    expect(answer.body.forbidden.message).toBe("Policy doesn't allow volmove:migrations to be performed.");
  });
});

describe('the list of migrations', () => {
  const withThree = async (): Promise<World> => {
    const world = createWorld();
    for (const n of [1, 2, 3]) {
      await world.store.migrations.create(
        aMigration({
          id: `m${n}`,
          requestedAtMs: n,
          volumeId: n === 2 ? 'other' : VOLUME_ID,
          ...(n === 3 ? { stage: { state: 'succeeded', endedAtMs: 9 } } : {}),
        }),
      );
    }
    return world;
  };
  const idsOf = (body: { migrations: { id: string }[] }): string[] => body.migrations.map((m) => m.id);

  it.each([
    ['all, newest first', '', ['m3', 'm2', 'm1']],
    ['those of a volume', `?volume_id=${VOLUME_ID}`, ['m3', 'm1']],
    ['those in a state', '?state=requested', ['m2', 'm1']],
    ['a page', '?limit=1', ['m3']],
    ['nothing on an empty page', '?limit=0', []],
    ['what lies behind a marker', '?marker=m3', ['m2', 'm1']],
    ['both', '?limit=1&marker=m3&state=requested', ['m2']],
  ])('shows %s', async (_, query, ids) => {
    const { ask } = await withThree();

    const { body } = await ask('GET', `/v3/migrations${query}`);

    expect(idsOf(body)).toEqual(ids);
  });

  it('links to the next page as long as there is one', async () => {
    const { ask } = await withThree();

    const first = await ask('GET', '/v3/project/migrations?limit=2');
    const next = new URL(first.body.migrations_links[0].href);
    const second = await ask('GET', next.pathname + next.search);

    expect(next.href).toBe('http://volmove.test:8776/v3/project/migrations?limit=2&marker=m2');
    expect(idsOf(second.body)).toEqual(['m1']);
    expect(second.body.migrations_links).toBeUndefined();
  });

  it.each([
    ['marker=nobody', 404],
    ['state=odd', 400],
    ['limit=-1', 400],
  ])('refuses %s', async (query, status) => {
    const { ask } = await withThree();

    expect((await ask('GET', `/v3/migrations?${query}`)).status).toBe(status);
  });
});
