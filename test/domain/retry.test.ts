import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import type { Decision } from '../../domain/decision.ts';
import { volmoveError } from '../../domain/error.ts';
import { replayEvents } from '../../domain/event.ts';
import {
  addMigrationCleanup,
  changeMigrationCleanup,
  endMigration,
  settleEnd,
  tellCleanup,
} from '../../domain/migration/end.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { hasRecorded, reopen } from '../../domain/migration/reopen.ts';
import { enterPhase, wishCancel } from '../../domain/migration/run.ts';
import { claim, noteBegunDestination, raiseRun, release } from '../../domain/volume/claim.ts';
import { claimForRetry } from '../../domain/volume/claim-again.ts';
import { reserve } from '../../domain/volume/guest.ts';
import { resetStatus } from '../../domain/volume/reset.ts';
import { removable } from '../../domain/volume/retained.ts';
import type { MigrationOptions, Volume } from '../../domain/volume/volume.ts';
import {
  aMigration,
  anObject,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE_OBJECT,
} from '../helpers/factories.ts';
import { written } from '../helpers/refusal.ts';

const MADE = anObject('made-by-run-1', DESTINATION);
const KEEPING: MigrationOptions = { ...OPTIONS, destinationRetentionSeconds: 60 };
const reason = volmoveError('NoSpace', { reason: 'full' }).toFailure();

const command = (run: number, nowMs = 100, options = KEEPING) => {
  const settled = run === 1 ? null : { migrationId: MIGRATION_ID, run: run - 1 };
  return { migrationId: MIGRATION_ID, run, destination: DESTINATION, options, settled, nowMs };
};
const claimed = (options = KEEPING): Volume => written(claim(command(1, 0, options))(aVolume()));
const begun = (volume: Volume, run = 1): Volume =>
  written(noteBegunDestination(MIGRATION_ID, { object: MADE, run, writeEpoch: volume.writeEpoch })(volume));
const released = (volume: Volume, run = 1, failure = reason): Volume =>
  written(release({ migrationId: MIGRATION_ID, run, reason: failure, nowMs: 50 })(volume));
const retried = (volume: Volume, run = 2, nowMs = 100): Volume =>
  written(claimForRetry({ ...command(run, nowMs), source: SOURCE_OBJECT })(volume));

describe('the destination of a run that fails', () => {
  it.each<[string, (volume: Volume) => Volume]>([
    ['ReleaseClaim', (v) => released(v)],
    ['a guest', (v) => written(reserve(50)(v))],
    ['a reset', (v) => written(resetStatus({ migrationStatus: null, nowMs: 50 })(v))],
  ])('is kept by the same write, when that was asked for and %s ends the claim', (_who, end) => {
    const ended = end(begun(claimed()));

    expect(ended.claim).toBeNull();
    expect(ended.retained).toEqual([
      {
        object: MADE,
        kind: 'destination',
        migrationId: MIGRATION_ID,
        run: 1,
        writeEpoch: 0,
        expiresAtMs: 50 + 60_000,
      },
    ]);
    expect(ended.lastOutcome).toMatchObject({ result: 'error', kept: MADE.objectName });
    expect(removable(ended, MADE.objectName, { migrationId: MIGRATION_ID, run: 1 })).toBe(false);
  });

  it('is not kept when nobody asked, and not before its copy has begun', () => {
    expect(released(begun(claimed(OPTIONS))).retained).toEqual([]);
    expect(released(claimed()).retained).toEqual([]);
    expect(released(claimed()).lastOutcome).not.toHaveProperty('kept');
  });

  it('is noted for the run that holds the claim, raises no counter, and outlives a takeover by the reconciler', () => {
    const volume = claimed();
    const noted = begun(volume);
    const raised = written(raiseRun(MIGRATION_ID, 1, reason, 10)(noted));

    expect([noted.fence, noted.writeEpoch]).toEqual([volume.fence, volume.writeEpoch]);
    expect(noteBegunDestination(MIGRATION_ID, { object: MADE, run: 2, writeEpoch: 0 })(volume).kind).toBe('refuse');
    expect(released(raised, 2).retained).toMatchObject([{ object: MADE, run: 1 }]);
  });
});

describe('the claim of a retry', () => {
  const failed = released(begun(claimed()));

  it('takes what was kept out of retained[] by the same write; until its end nothing may remove it', () => {
    const again = retried(failed);

    expect(again.retained).toEqual([]);
    expect(again.claim).toMatchObject({ run: 2, carriesOn: { object: MADE, run: 1, writeEpoch: 0 } });
    expect(removable(again, MADE.objectName, { migrationId: MIGRATION_ID, run: 1 })).toBe(false);
  });

  it('gives it back as it was when the run never got to its copy, and as its own when it did', () => {
    const early = released(retried(failed), 2);
    const late = released(begun(retried(failed), 2), 2);

    expect(early.retained).toMatchObject([{ object: MADE, run: 1 }]);
    expect(late.retained).toMatchObject([{ object: MADE, run: 2 }]);
  });

  it('begins anew after what was kept turned out to be gone', () => {
    const gone = volmoveError('ObjectMissing', { object: 'o', place: 'p' }).toFailure();
    const ended = released(retried(failed), 2, gone);

    expect(ended.retained).toEqual([]);
    expect(retried(ended, 3).claim).not.toHaveProperty('carriesOn');
  });

  it('leaves what has expired and what another migration has left alone', () => {
    expect(retried(failed, 2, 70_000)).toMatchObject({ retained: [{ object: MADE }], claim: { run: 2 } });
    const [kept] = failed.retained;
    const others = kept ? [{ ...kept, migrationId: 'other' }] : [];
    expect(retried({ ...failed, retained: others }).claim).not.toHaveProperty('carriesOn');
  });

  it.each<[string, Partial<Volume>, string]>([
    ['is attached', { status: 'in-use' }, 'only an available volume is moved'],
    ['has been moved since', { location: anObject('elsewhere') }, 'it is not what this migration starts from any more'],
    [
      'has an outcome that nobody has recorded',
      { lastOutcome: { migrationId: 'm', run: 1, atMs: 0, result: 'error', reason } },
      'The outcome of migration m has not been recorded yet',
    ],
  ])('is refused while the volume %s', (_what, change, text) => {
    const decision = claimForRetry({ ...command(2), source: SOURCE_OBJECT })({ ...failed, ...change });

    expect(decision.kind === 'refuse' && decision.error.message).toContain(text);
  });

  it('changes nothing when it stands already', () => {
    expect(claimForRetry({ ...command(2), source: SOURCE_OBJECT })(retried(failed)).kind).toBe('already');
  });
});

describe('a migration that goes on', () => {
  const running = written(
    enterPhase({
      run: 1,
      phase: 'validating',
      who: 'execution',
      nowMs: 1,
      object: { run: 1, objectName: MADE.objectName, placement: DESTINATION },
      reservation: { poolId: 'p', bytes: 1 },
    })(aMigration({ options: KEEPING })),
  );
  const end = (migration: Migration, run: number, kept?: string): Decision<Migration> =>
    endMigration({
      outcome: { migrationId: MIGRATION_ID, run, atMs: 50, result: 'error', reason, ...(kept ? { kept } : {}) },
      report: null,
      who: 'execution',
      nowMs: 50,
    })(migration);
  const failed = written(settleEnd(60)(written(end(written(wishCancel('ann', 2)(running)), 1, MADE.objectName))));
  const reopened = written(reopen({ run: 2, who: 'ann', nowMs: 100 })(failed));

  it('writes no cleanup entry for what is kept, and one when nothing is', () => {
    expect(failed.cleanup).toEqual([]);
    expect(written(end(running, 1)).cleanup).toMatchObject([{ objectName: MADE.objectName }]);
  });

  it('is asked for again under its next run, without what the run before was wished and told', () => {
    expect(reopened).toMatchObject({
      run: 2,
      stage: { state: 'requested' },
      wishes: { cancel: null },
      reservation: null,
      endedTold: false,
      jobsEnded: false,
      pastEnds: [{ run: 1, endedAtMs: 50, reason }],
    });
    expect(reopened.story.at(-1)).toMatchObject({ run: 2, who: 'ann', from: 'failed', to: 'requested', why: 'retry' });
    expect(reopen({ run: 2, who: 'ann', nowMs: 101 })(reopened).kind).toBe('already');
  });

  it.each<[string, Migration]>([
    ['running', running],
    ['refused', { ...failed, stage: { state: 'refused', endedAtMs: 1, reason } }],
    ['succeeded', { ...failed, stage: { state: 'succeeded', endedAtMs: 1 } }],
    ['not told of yet', { ...failed, endedTold: false }],
  ])('is never one that is %s', (_what, migration) => {
    expect(reopen({ run: 2, who: 'ann', nowMs: 100 })(migration).kind).toBe('refuse');
  });

  it('takes nothing from steps of the run before that wake up late', () => {
    expect(settleEnd(101, true, 1)(reopened).kind).toBe('already');
    const again = written(settleEnd(201)(written(end(reopened, 2))));
    expect(settleEnd(202, true, 1)({ ...again, endedTold: false }).kind).toBe('already');
    expect(end(reopened, 1).kind).toBe('refuse');
  });

  it('takes the end of a run that nobody had reopened it for', () => {
    const recorded = written(end(failed, 2));

    expect(hasRecorded(failed, 2)).toBe(false);
    expect(recorded).toMatchObject({ run: 2, stage: { state: 'failed' }, endedTold: false, pastEnds: [{ run: 1 }] });
    expect(end(recorded, 2).kind).toBe('already');
  });

  it('owns the object that it goes on with: a success removes the source alone, a failure the object', () => {
    const object = { run: 2, objectName: MADE.objectName, placement: DESTINATION };
    const preparing = written(
      enterPhase({ run: 2, phase: 'preparing', who: 'execution', nowMs: 110, object })(reopened),
    );
    const proof = { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 } as const;
    const outcome = {
      migrationId: MIGRATION_ID,
      run: 2,
      atMs: 120,
      result: 'success',
      proof,
      source: SOURCE_OBJECT,
    } as const;
    const done = written(endMigration({ outcome, report: null, who: 'execution', nowMs: 120 })(preparing));

    expect(preparing.objects).toEqual([object]);
    expect(done.cleanup.map(({ objectName }) => objectName)).toEqual([SOURCE_OBJECT.objectName]);
    expect(written(end(preparing, 2)).cleanup).toMatchObject([{ objectName: MADE.objectName, run: 2 }]);
  });

  it('tells each run’s end in its replay, in order, and nothing of a cleanup while it is under way', () => {
    const left = newCleanup({ objectName: 'left', ...DESTINATION }, 'destination', 1);
    const leaving = written(reopen({ run: 2, who: 'ann', nowMs: 100 })(written(addMigrationCleanup(left, 70)(failed))));
    const cleaned = written(changeMigrationCleanup('left', (e) => ({ ...e, state: 'done' }), 105)(leaving));
    const begun2 = written(enterPhase({ run: 2, phase: 'validating', who: 'execution', nowMs: 110 })(cleaned));
    const told = replayEvents(written(end(begun2, 2)), [], 0).map(({ detail }) => [detail.event_type, detail.run]);

    expect(cleaned.cleanupNotices).toEqual([]);
    expect(told).toEqual([
      ['volume.migrate.start', 1],
      ['volume.migrate.end', 1],
      ['volume.migrate.start', 2],
      ['volume.migrate.end', 2],
    ]);
  });
});

describe('a step of the run before that wakes after a retry has begun', () => {
  it('tells no cleanup in the number of the retry: what is left is told after its own end', () => {
    const running: Migration = {
      ...aMigration(),
      run: 2,
      stage: { state: 'running', phase: 'validating', phaseSinceMs: 0 },
    };

    expect(tellCleanup('done', 100)(running)).toEqual({ kind: 'already', current: running });
  });
});
