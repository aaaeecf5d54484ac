import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import {
  addMigrationCleanup,
  changeMigrationCleanup,
  endMigration,
  markJobsEnded,
  refuseMigration,
  settleEnd,
  tellCleanup,
} from '../../domain/migration/end.ts';
import { isClosed, isEnded, type Migration } from '../../domain/migration/migration.ts';
import { wishCancel } from '../../domain/migration/run.ts';
import type { Outcome } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aMigration, DESTINATION, MIGRATION_ID, OPTIONS, SOURCE_OBJECT } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 9_000;
const reason = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const run = (n: number) => ({ run: n, objectName: `made-${n}`, placement: DESTINATION });
const success = (n: number): Outcome => ({
  migrationId: MIGRATION_ID,
  run: n,
  atMs: nowMs,
  result: 'success',
  proof: { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 },
  source: SOURCE_OBJECT,
});
const error = (n: number): Outcome => ({ migrationId: MIGRATION_ID, run: n, atMs: nowMs, result: 'error', reason });
const going = aMigration({
  stage: { state: 'running', phase: 'copying', phaseSinceMs: START_MS },
  objects: [run(1)],
  reservation: { poolId: 'p', bytes: 1 },
});
const endWith = (outcome: Outcome) => endMigration({ outcome, report: null, who: 'execution', nowMs });
const names = (migration: Migration): string[] => migration.cleanup.map((entry) => `${entry.role} ${entry.objectName}`);

describe('the end of a migration', () => {
  it('after a success leaves the source to be removed, and the destination alone', () => {
    const next = written(endWith(success(1))(going));

    expect(next.stage).toEqual({ state: 'succeeded', endedAtMs: nowMs });
    expect(names(next)).toEqual([`source ${SOURCE_OBJECT.objectName}`]);
    expect(next.cleanup[0]).toMatchObject({ objectId: SOURCE_OBJECT.objectId, run: null, state: 'todo', tries: 0 });
  });

  it('after a success that keeps its source leaves nothing to be removed', () => {
    const keeping = { ...going, options: { ...OPTIONS, sourceRetentionSeconds: 60 } };

    expect(names(written(endWith(success(1))(keeping)))).toEqual([]);
  });

  it('after a failure leaves what every run was about to make to be removed', () => {
    const next = written(endWith(error(2))({ ...going, run: 2, objects: [run(1), run(2)] }));

    expect(next.stage).toEqual({ state: 'failed', endedAtMs: nowMs, reason });
    expect(names(next)).toEqual(['destination made-1', 'destination made-2']);
    expect(next.cleanup.map((entry) => entry.run)).toEqual([1, 2]);
  });

  it('after a later run’s success leaves the earlier runs’ objects', () => {
    const next = written(endWith(success(2))({ ...going, run: 2, objects: [run(1), run(2)] }));

    expect(names(next)).toEqual(['destination made-1', `source ${SOURCE_OBJECT.objectName}`]);
  });

  it('tells the story with the reason, and does not repeat itself', () => {
    const next = written(endWith(error(1))(going));

    expect(next.story.at(-1)).toMatchObject({ from: 'copying', to: 'failed', why: reason.message, who: 'execution' });
    expect(endWith(error(1))(next)).toEqual({ kind: 'already', current: next });
    expect(endWith(success(1))(next).kind).toBe('already');
  });

  it('of an older run is refused, of a newer one is taken', () => {
    expect(refusedBy(endWith(error(1))({ ...going, run: 2 })).code).toBe('Superseded');
    expect(written(endWith(error(2))(going))).toMatchObject({ run: 2, stage: { state: 'failed' } });
  });

  it('is a refusal only for one that was never begun', () => {
    const next = written(refuseMigration(reason, 'api', nowMs)(aMigration()));

    expect(next.stage).toEqual({ state: 'refused', endedAtMs: nowMs, reason });
    expect(refuseMigration(reason, 'api', nowMs)(going).kind).toBe('already');
    expect(refuseMigration(reason, 'api', nowMs)(next).kind).toBe('already');
  });

  it('is settled once, and only then, with nothing left, is it closed', () => {
    const ended = written(endWith(success(1))(going));
    const settled = written(settleEnd(nowMs)(ended));
    const clean = written(
      changeMigrationCleanup(SOURCE_OBJECT.objectName, (entry) => ({ ...entry, state: 'done' }), nowMs)(settled),
    );

    expect(settled).toMatchObject({ endedTold: true, reservation: null });
    expect(settleEnd(nowMs)(settled).kind).toBe('already');
    expect([going, ended, settled, clean].map(isEnded)).toEqual([false, true, true, true]);
    expect([going, ended, settled, clean].map(isClosed)).toEqual([false, false, false, true]);
  });

  it('stays open until the last of its jobs has ended: an execution may still wait for one', () => {
    const ended = written(endWith(error(1))({ ...going, objects: [] }));
    const settled = written(settleEnd(nowMs, false)(ended));
    const over = written(markJobsEnded(1, nowMs)(settled));

    expect([settled, over].map(isClosed)).toEqual([false, true]);
    expect(markJobsEnded(1, nowMs)(over).kind).toBe('already');
  });

  it('stays open when it was another run whose jobs were seen to have ended', () => {
    const retried = { ...written(endWith(error(1))({ ...going, objects: [] })), run: 2 };

    expect(markJobsEnded(1, nowMs)(retried).kind).toBe('already');
  });
});

describe('the cleanup of a migration', () => {
  const ended = written(endWith(success(1))(going));
  const name = SOURCE_OBJECT.objectName;

  it('takes an entry once, and never changes one that stands', () => {
    const entry = newCleanup({ ...SOURCE_OBJECT, objectName: 'more' }, 'source');

    const more = written(addMigrationCleanup(entry, nowMs)(ended));

    expect(names(more)).toEqual([`source ${name}`, 'source more']);
    expect(addMigrationCleanup({ ...entry, tries: 3 }, nowMs)(more).kind).toBe('already');
  });

  it('tells the story when the last entry is done, not before', () => {
    const two = written(
      addMigrationCleanup(newCleanup({ ...SOURCE_OBJECT, objectName: 'more' }, 'source'), nowMs)(ended),
    );
    const done = (objectName: string) => changeMigrationCleanup(objectName, (e) => ({ ...e, state: 'done' }), nowMs);

    const one = written(done('more')(two));
    const both = written(done(name)(one));

    expect(one.story).toHaveLength(two.story.length);
    expect(both.story.at(-1)).toMatchObject({ who: 'cleanup', why: `nothing is left of ${name}` });
    expect(done(name)(both).kind).toBe('already');
  });

  it('writes nothing when a step leaves its entry as it is', () => {
    expect(changeMigrationCleanup(name, (entry) => entry, nowMs)(ended).kind).toBe('already');
  });

  it('is told once for each of its two words', () => {
    const told = written(tellCleanup('needsYou', nowMs)(ended));
    const both = written(tellCleanup('done', nowMs)({ ...told, cleanup: [] }));

    expect(told.cleanupTold).toEqual({ done: false, needsYou: true });
    expect(both.cleanupTold).toEqual({ done: true, needsYou: true });
    expect(tellCleanup('needsYou', nowMs)({ ...both, cleanup: told.cleanup }).kind).toBe('already');
  });

  it('is not told to be done when an entry was added since that was seen, nor to need anybody when all has gone', () => {
    expect(tellCleanup('done', nowMs)(ended).kind).toBe('already');
    expect(tellCleanup('needsYou', nowMs)({ ...ended, cleanup: [] }).kind).toBe('already');
  });

  it('says of what was dropped that it stays', () => {
    const dropped = written(changeMigrationCleanup(name, (e) => ({ ...e, state: 'dropped' }), nowMs)(ended));

    expect(dropped.story.at(-1)?.why).toBe(`${name} stays: the volume lives on it`);
  });
});

describe('a wish to cancel', () => {
  it('is written down once, with its story', () => {
    const wished = written(wishCancel('admin', nowMs)(going));

    expect(wished.wishes.cancel).toEqual({ by: 'admin', atMs: nowMs });
    expect(wished.stage).toEqual(going.stage);
    expect(wished.story.at(-1)).toMatchObject({ who: 'admin', why: 'cancel was asked for' });
    expect(wishCancel('other', nowMs)(wished).kind).toBe('already');
  });

  it('comes too late after the end, and says what there is', () => {
    const ended = written(endWith(success(1))(going));

    const late = refusedBy(wishCancel('admin', nowMs)(ended));

    expect(late).toMatchObject({ code: 'TooLate', httpStatus: 409 });
    expect(late.message).toContain('succeeded');
  });
});
