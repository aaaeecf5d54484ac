import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import {
  cleanupEvent,
  endedEvent,
  etaSeconds,
  percentOf,
  progressEvent,
  replayEvents,
  sequenceOf,
  startedEvent,
  type VolmoveEvent,
} from '../../domain/event.ts';
import {
  changeMigrationCleanup,
  endMigration,
  refuseMigration,
  settleEnd,
  tellCleanup,
} from '../../domain/migration/end.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { reopen } from '../../domain/migration/reopen.ts';
import { enterPhase, wishCancel } from '../../domain/migration/run.ts';
import type { Outcome } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aMigration, aReport, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { written } from '../helpers/refusal.ts';

const at = (seconds: number): number => START_MS + seconds * 1000;
const failure = volmoveError('ObjectBusy', { object: 'o', reason: 'mapped' }).toFailure();
const success: Outcome = {
  migrationId: MIGRATION_ID,
  run: 1,
  atMs: at(60),
  result: 'success',
  proof: { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 },
  source: SOURCE_OBJECT,
};
const enter = (
  phase: 'validating' | 'locking' | 'preparing' | 'copying' | 'verifying' | 'finalizing',
  seconds: number,
) => enterPhase({ run: 1, phase, who: 'execution', nowMs: at(seconds) });

const begun = written(enter('validating', 1)(aMigration()));
const finalizing = (['locking', 'preparing', 'copying', 'verifying', 'finalizing'] as const).reduce(
  (migration, phase, i) => written(enter(phase, i + 2)(migration)),
  begun,
);
const report = {
  sourceDigest: 'd',
  destinationDigest: 'd',
  readback: 'direct' as const,
  bytesRead: 1,
  bytesWritten: 1,
  copyMs: 1,
};
const ended = written(endMigration({ outcome: success, report, who: 'execution', nowMs: at(61) })(finalizing));
const sequenceIn = (event: VolmoveEvent | undefined): number => event?.detail.sequence ?? Number.NaN;

describe('the sequence of events', () => {
  it('never decreases along run, phase, attempt and report, and stays a safe integer', () => {
    const place = fc.record({
      run: fc.integer({ min: 1, max: 9_000 }),
      rank: fc.integer({ min: 1, max: 99 }),
      attempt: fc.nat(9_999),
      n: fc.nat(999_999),
    });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const order = a.run - b.run || a.rank - b.rank || a.attempt - b.attempt || a.n - b.n;
        const difference = sequenceOf(a.run, a.rank, a.attempt, a.n) - sequenceOf(b.run, b.rank, b.attempt, b.n);

        expect(Math.sign(difference)).toBe(Math.sign(order));
        expect(Number.isSafeInteger(sequenceOf(a.run, a.rank, a.attempt, a.n))).toBe(true);
      }),
    );
  });

  it('rises through the life of a migration', () => {
    const needsYou = written(tellCleanup('needsYou', at(70))(ended));
    const life = [
      startedEvent(begun),
      progressEvent(aJob(), aReport({ n: 1 })),
      progressEvent(aJob(), aReport({ n: 2 })),
      progressEvent(aJob(), aReport({ attempt: 2, n: 1 })),
      progressEvent(
        aJob(
          {},
          {
            kind: 'data.verify',
            input: { object: SOURCE_OBJECT, sizeBytes: 1, progressIntervalSeconds: null, digest: true },
          },
        ),
        aReport({ n: 1 }),
      ),
      endedEvent(ended),
      cleanupEvent(needsYou, 'needs_you', at(70)),
      cleanupEvent(needsYou, 'done', at(80)),
    ].map(sequenceIn);

    expect(life).toEqual(life.toSorted((a, b) => a - b));
    expect(new Set(life).size).toBe(life.length);
  });
});

describe('a kept source that cannot be removed after all else was gone', () => {
  it('needs a person in a number after that of what was told before, also in the replay', () => {
    const gone = written(tellCleanup('done', at(62))({ ...ended, cleanup: [] }));
    const needing = written(tellCleanup('needsYou', at(70))({ ...gone, cleanup: ended.cleanup }));

    const [done, needsYou] = [cleanupEvent(needing, 'done', at(62)), cleanupEvent(needing, 'needs_you', at(70))];

    expect(needsYou.detail.sequence).toBeGreaterThan(done.detail.sequence);
    expect(replayEvents(needing, [], 0).slice(-2)).toEqual([done, needsYou]);
  });
});

describe('what the events say', () => {
  it('Started: who asked, from where to where', () => {
    expect(startedEvent(begun)).toEqual({
      detailType: 'Volume Migration Started',
      detail: {
        version: '1',
        event_type: 'volume.migrate.start',
        sequence: sequenceOf(1, 1),
        at: new Date(at(1)).toISOString(),
        migration_id: MIGRATION_ID,
        run: 1,
        volume_id: VOLUME_ID,
        tenant_id: 'project',
        display_name: 'data',
        size_bytes: SOURCE_OBJECT.sizeBytes,
        source_host: 'host-a@files#ssd',
        destination_host: 'host-b@files#ssd',
        locked: false,
        requested_by: 'admin',
      },
    });
  });

  it('Ended: where the volume is now, and its digest', () => {
    expect(endedEvent(ended)?.detail).toMatchObject({
      event_type: 'volume.migrate.end',
      result: 'success',
      host: 'host-b@files#ssd',
      reason: null,
      digest: 'd',
      duration_ms: 60_000,
    });
  });

  it('Ended badly: the volume is where it was, and why', () => {
    const outcome: Outcome = { migrationId: MIGRATION_ID, run: 1, atMs: at(5), result: 'error', reason: failure };
    const failed = written(endMigration({ outcome, report: null, who: 'execution', nowMs: at(6) })(begun));

    expect(endedEvent(failed)?.detail).toMatchObject({
      result: 'error',
      host: 'host-a@files#ssd',
      reason: failure,
      digest: null,
    });
  });

  it('nothing of one that has not ended, or that was refused', () => {
    const refused = written(refuseMigration(failure, 'api', at(1))(aMigration()));

    expect(endedEvent(begun)).toBeUndefined();
    expect(endedEvent(refused)).toBeUndefined();
  });

  it('Progress: below a hundred percent, and no ETA while nothing moves', () => {
    const whole = aReport({ doneBytes: 100, totalBytes: 100, rateBytesPerSecond: 0 });

    expect(progressEvent(aJob(), whole)?.detail).toMatchObject({ percent: 99, eta_seconds: null, phase: 'copying' });
    expect(progressEvent(aJob(), whole, true)?.detailType).toBe('Volume Migration Stalled');
    expect(percentOf(0, 0)).toBe(99);
    expect(percentOf(1, 3)).toBe(33);
    expect(etaSeconds({ doneBytes: 0, totalBytes: 10, rateBytesPerSecond: 4 })).toBe(3);
  });

  it('no Progress of jobs that move no data', () => {
    const remove = aJob(
      {},
      { kind: 'object.remove', input: { objectName: 'o', objectId: null, place: SOURCE_OBJECT } },
    );

    expect(progressEvent(remove, aReport())).toBeUndefined();
    expect(progressEvent(aJob({ migrationId: null }), aReport())).toBeUndefined();
  });

  it('Cleanup: what is left, where and why', () => {
    const left = { ...newCleanup(SOURCE_OBJECT, 'source'), tries: 3, lastFailure: failure };

    expect(cleanupEvent({ ...ended, cleanup: [left] }, 'needs_you', at(70)).detail).toMatchObject({
      result: 'needs_you',
      left: [{ object: SOURCE_OBJECT.objectName, host: 'host-a@files#ssd', tries: 3, reason: failure.message }],
    });
  });
});

describe('the replay', () => {
  /** The migration as it goes on after each event was sent; the replay is asked at the end of all. */
  const told = (): { sent: VolmoveEvent[]; migration: Migration } => {
    const cancelled = written(wishCancel('admin', at(3))(finalizing));
    const over = written(endMigration({ outcome: success, report, who: 'execution', nowMs: at(61) })(cancelled));
    const settled = written(settleEnd(at(62))(over));
    const tried = written(
      changeMigrationCleanup(
        SOURCE_OBJECT.objectName,
        (e) => ({ ...e, tries: 3, lastFailure: failure }),
        at(63),
      )(settled),
    );
    const needing = written(tellCleanup('needsYou', at(64))(tried));
    const again = written(
      changeMigrationCleanup(SOURCE_OBJECT.objectName, (e) => ({ ...e, tries: 4 }), at(65))(needing),
    );
    const clean = written(
      changeMigrationCleanup(
        SOURCE_OBJECT.objectName,
        (e) => ({ ...e, state: 'done', lastFailure: null }),
        at(66),
      )(again),
    );
    const events = [
      startedEvent(begun),
      endedEvent(over),
      cleanupEvent(needing, 'needs_you', at(64)),
      cleanupEvent(clean, 'done', at(66)),
    ];
    return { sent: events.filter((event) => event !== undefined), migration: clean };
  };

  it('equals what was sent, whatever has happened to the migration since', () => {
    const { sent, migration } = told();

    expect(replayEvents(migration, [], 0)).toEqual(sent);
  });

  it('merges the agents’ last reports in order', () => {
    const job = aJob({ recent: [aReport({ n: 1 }), aReport({ n: 2 })] });

    const events = replayEvents(ended, [job], 0);

    expect(events).toEqual([
      startedEvent(ended),
      progressEvent(job, aReport({ n: 1 })),
      progressEvent(job, aReport({ n: 2 })),
      endedEvent(ended),
    ]);
  });

  it('begins after the sequence that the caller has seen', () => {
    const after = sequenceIn(startedEvent(ended));

    expect(replayEvents(ended, [], after)).toEqual([endedEvent(ended)]);
    expect(replayEvents(ended, [], Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  it('knows one Started and one Ended for every run that was asked for', () => {
    const reason = failure;
    const error: Outcome = { migrationId: MIGRATION_ID, run: 1, atMs: at(60), result: 'error', reason };
    const told = (migration: Migration): Migration => ({ ...migration, endedTold: true });
    const failed = told(written(endMigration({ outcome: error, report: null, who: 'x', nowMs: at(61) })(begun)));
    const again = written(reopen({ run: 2, who: 'admin', nowMs: at(70) })(failed));
    const second = written(enterPhase({ run: 2, phase: 'validating', who: 'execution', nowMs: at(71) })(again));

    const events = replayEvents(second, [], 0).map(({ detail }) => [detail.event_type, detail.run]);

    expect(events).toEqual([
      ['volume.migrate.start', 1],
      ['volume.migrate.end', 1],
      ['volume.migrate.start', 2],
    ]);
  });

  it('tells the end of a run that the reconciler took over as the end of that run', () => {
    const rolled = written(enterPhase({ run: 2, phase: 'rolling_back', who: 'execution', nowMs: at(9) })(begun));
    const error: Outcome = { migrationId: MIGRATION_ID, run: 2, atMs: at(10), result: 'error', reason: failure };
    const over = written(endMigration({ outcome: error, report: null, who: 'execution', nowMs: at(11) })(rolled));

    const events = replayEvents(over, [], 0).map(({ detail }) => [detail.event_type, detail.run]);

    expect(events).toEqual([
      ['volume.migrate.start', 1],
      ['volume.migrate.end', 1],
    ]);
  });
});
