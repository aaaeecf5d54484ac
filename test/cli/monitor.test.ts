import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../../cli/api/types.ts';
import { look, type MigrationView } from '../../cli/watch/monitor.ts';
import { phaseRows } from '../../cli/watch/phases.ts';
import { aFailure, aMigration, aProgress, aSuccess, at, GIB, NOW_MS, needsYou, storyOf } from './builders.ts';

const kinds = (view: MigrationView): string[] => view.news.map((item) => item.kind);
const lookTwice = (first: Migration, second: Migration, laterMs = 1_000): MigrationView =>
  look(look(undefined, first, NOW_MS), second, NOW_MS + laterMs);

describe('the monitor of a migration', () => {
  it('keeps a number that came late from going back, in the same phase', () => {
    const late = aMigration({ progress: aProgress({ done_bytes: 1 * GIB, percent: 12 }) });

    const view = lookTwice(aMigration(), late);

    expect(view.progress).toMatchObject({ doneBytes: 3.6 * GIB, percent: 45 });
  });

  it('begins again with the next phase', () => {
    const verifying = aMigration({
      phase: 'verifying',
      progress: aProgress({ phase: 'verifying', done_bytes: 0, percent: 0 }),
    });

    const view = lookTwice(aMigration(), verifying);

    expect(view.progress?.percent).toBe(0);
    expect(kinds(view)).toEqual(['phase']);
  });

  it('counts no bytes in a phase that handles none', () => {
    const early = aMigration({ phase: 'requested', progress: aProgress({ phase: 'requested', done_bytes: 0 }) });

    expect(look(undefined, early, NOW_MS).progress).toBeNull();
  });

  it('knows no end while nothing moves', () => {
    const view = look(undefined, aMigration({ progress: aProgress({ rate_bytes_per_second: 0 }) }), NOW_MS);

    expect(view.progress?.etaSeconds).toBeNull();
  });

  it('counts how long nothing has moved, and tells once that it stalled and once that it moves', () => {
    const stalled = aMigration({ progress: aProgress({ stalled_since: at(-45) }) });

    const first = lookTwice(aMigration(), stalled, 0);
    const second = look(first, stalled, NOW_MS + 5_000);
    const third = look(second, aMigration(), NOW_MS + 6_000);

    expect(first.progress?.stalledSeconds).toBe(45);
    expect(second.progress?.stalledSeconds).toBe(50);
    expect([kinds(first), kinds(second), kinds(third)]).toEqual([['stalled'], [], ['moving_again']]);
  });

  it('measures the age of a report by its own clock, whatever the service’s says', () => {
    const oldClock = aMigration({ progress: aProgress({ at: '2001-01-01T00:00:00.000Z' }) });

    const first = look(undefined, oldClock, NOW_MS);
    const second = look(first, oldClock, NOW_MS + 20_000);

    expect([first.progress?.reportAgeMs, second.progress?.reportAgeMs]).toEqual([0, 20_000]);
  });

  it('does not believe that an ended migration runs again in the same run, but in the next', () => {
    const ended = look(undefined, aFailure(), NOW_MS);

    expect(look(ended, aMigration(), NOW_MS).ended).toBe(true);
    expect(kinds(look(ended, aMigration({ run: 2 }), NOW_MS))).toContain('run');
  });

  it('tells the end and then the cleanup', () => {
    const cleaning = lookTwice(aMigration(), aSuccess({ cleanup: { state: 'pending', left: [] } }));
    const blocked = look(cleaning, aSuccess({ cleanup: needsYou }), NOW_MS);

    expect(kinds(cleaning)).toEqual(['ended']);
    expect(kinds(blocked)).toEqual(['cleanup']);
  });

  const arbitraryProgress = fc.record({
    phase: fc.constantFrom('copying', 'verifying'),
    done_bytes: fc.integer({ min: -10, max: 2_000 }),
    total_bytes: fc.constantFrom(0, 1, 1_000),
    percent: fc.integer({ min: -5, max: 200 }),
    rate_bytes_per_second: fc.integer({ min: 0, max: 10 }),
    eta_seconds: fc.option(fc.nat(), { nil: null }),
    attempt: fc.integer({ min: 1, max: 3 }),
  });
  const arbitraryMigration = fc
    .record({
      state: fc.constantFrom('requested', 'running', 'succeeded', 'failed', 'refused'),
      run: fc.integer({ min: 1, max: 2 }),
      progress: fc.option(arbitraryProgress, { nil: null }),
    })
    .map(({ state, run, progress }) =>
      aMigration({ state, run, progress: progress === null ? null : aProgress(progress) }),
    );

  it('says 100 % only of a success, and never goes back within a run and phase', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMigration, { maxLength: 20 }), (seen) => {
        let before: MigrationView | undefined;
        for (const [index, migration] of seen.entries()) {
          const view = look(before, migration, NOW_MS + index * 1_000);
          const { progress } = view;
          if (progress !== null) {
            expect(progress.percent === 100).toBe(view.migration.state === 'succeeded');
            expect(progress.percent).toBeGreaterThanOrEqual(0);
            expect(progress.doneBytes).toBeLessThanOrEqual(progress.totalBytes);
          }
          const goesOn = before?.migration.run === view.migration.run && before.progress?.phase === progress?.phase;
          if (goesOn && before?.progress && progress) {
            expect(progress.percent).toBeGreaterThanOrEqual(before.progress.percent);
            expect(progress.doneBytes).toBeGreaterThanOrEqual(before.progress.doneBytes);
          }
          before = view;
        }
      }),
    );
  });
});

describe('the phases of a migration', () => {
  const rows = (migration: Migration): string[] =>
    phaseRows(migration, NOW_MS).map((row) => `${row.name} ${row.state}`);

  it('are done, under way and to come', () => {
    expect(phaseRows(aMigration(), NOW_MS)).toEqual([
      { name: 'validating', state: 'done', tookMs: 10_000 },
      { name: 'locking', state: 'done', tookMs: 10_000 },
      { name: 'preparing', state: 'done', tookMs: 10_000 },
      { name: 'copying', state: 'active', tookMs: 10_000 },
      { name: 'verifying', state: 'pending', tookMs: null },
      { name: 'finalizing', state: 'pending', tookMs: null },
    ]);
  });

  it('tell where a failed one broke, and what it never reached', () => {
    expect(rows(aFailure()).slice(3)).toEqual([
      'copying failed',
      'verifying unreached',
      'finalizing unreached',
      'rolling_back done',
    ]);
  });

  it('tell that an unverified one skipped it', () => {
    const story = storyOf(['validating', 'locking', 'preparing', 'copying', 'finalizing', 'succeeded']);

    expect(rows(aSuccess({ story }))).toContain('verifying skipped');
  });

  it('are other ones for a move inside a backend', () => {
    const story = storyOf(['validating', 'locking', 'moving']);

    expect(rows(aMigration({ phase: 'moving', story }))).toEqual([
      'validating done',
      'locking done',
      'moving active',
      'finalizing pending',
    ]);
  });

  it('have a repair among them once what was read back differs', () => {
    const story = storyOf(['validating', 'locking', 'preparing', 'copying', 'verifying', 'repairing']);

    expect(rows(aMigration({ phase: 'repairing', story })).slice(3)).toEqual([
      'copying done',
      'verifying done',
      'repairing active',
      'reverifying pending',
      'finalizing pending',
    ]);
  });

  it('are those of the present run', () => {
    const story = [...storyOf(['validating', 'locking', 'copying', 'failed']), ...storyOf(['validating'], 2)];

    expect(rows(aMigration({ run: 2, phase: 'validating', story }))[1]).toBe('locking pending');
  });

  it('are none of a refused one', () => {
    expect(rows(aMigration({ state: 'refused', phase: 'refused' }))).toEqual([]);
  });
});
