import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { addMigrationCleanup, changeMigrationCleanup, endMigration } from '../../domain/migration/end.ts';
import { claim, finalize, release } from '../../domain/volume/claim.ts';
import { attach, beginDetaching, connect, detach, reserve, unreserve } from '../../domain/volume/guest.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import { type RestoreCommand, restore } from '../../domain/volume/restore.ts';
import { entryOf, giveUpRetained, removable } from '../../domain/volume/retained.ts';
import { GIB, type Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aMigration,
  anObject,
  aRetained,
  aVolume,
  DESTINATION,
  ELSEWHERE,
  MIGRATION_ID,
  OPTIONS,
  OTHER_MIGRATION_ID,
  SOURCE,
  SOURCE_OBJECT,
} from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const MADE = anObject('made', DESTINATION);
const kept = aRetained({ expiresAtMs: nowMs + 60_000, writeEpoch: 5 });
const success = {
  migrationId: MIGRATION_ID,
  run: 1,
  atMs: START_MS,
  result: 'success',
  proof: { kind: 'digest', digest: 'd', writeEpoch: 5, generation: 1 },
  source: SOURCE_OBJECT,
} as const;
/** A volume whose migration has succeeded, and whose source is kept. */
const moved = (change: Partial<Volume> = {}): Volume =>
  aVolume({
    location: MADE,
    placement: DESTINATION,
    retained: [kept],
    lastOutcome: success,
    migrationStatus: 'success',
    fence: 7,
    writeEpoch: 5,
    ...change,
  });
const ask: RestoreCommand = {
  migrationId: MIGRATION_ID,
  source: SOURCE_OBJECT,
  settled: { migrationId: MIGRATION_ID, run: 1 },
  discardChanges: false,
  by: 'root',
  nowMs,
};
const connection = { id: 'c', host: 'compute', atMs: nowMs };
const attachment = { id: 'a', instanceId: null, hostName: null, mountpoint: '/', mode: 'rw', atMs: nowMs } as const;

describe('restore', () => {
  it('makes the kept source the location, and leaves what the volume lived on with its time over, in one write', () => {
    const next = written(restore(ask)(moved()));

    expect(next).toEqual({
      ...moved(),
      location: SOURCE_OBJECT,
      placement: SOURCE,
      migrationStatus: null,
      fence: 8,
      writeEpoch: 6,
      updatedAtMs: nowMs,
      retained: [
        {
          object: MADE,
          kind: 'destination',
          migrationId: MIGRATION_ID,
          run: 1,
          expiresAtMs: nowMs,
          writeEpoch: 5,
          restored: { atMs: nowMs, by: 'root', discarded: false },
        },
      ],
    });
  });

  it('that is asked for again finds its effect, also when the volume is in use meanwhile', () => {
    const next = written(restore(ask)(moved()));

    expect(restore(ask)(next).kind).toBe('already');
    expect(restore(ask)(written(reserve(nowMs)(next))).kind).toBe('already');
  });

  it('leaves alone what else is kept', () => {
    const other = { ...kept, object: anObject('older', ELSEWHERE), migrationId: OTHER_MIGRATION_ID };

    const next = written(restore(ask)(moved({ retained: [other, kept] })));

    expect(next.retained.map(({ object }) => object.objectName)).toEqual(['older', 'made']);
  });

  it.each([
    ['reserved', { status: 'attaching' }, 'CannotRestore', 'it is attaching'],
    ['attached', { status: 'in-use', attachments: [attachment] }, 'CannotRestore', 'detach it first'],
    ['connected', { connections: [connection] }, 'CannotRestore', 'terminate the connection first'],
    ['deleted', { status: 'deleting', location: null }, 'CannotRestore', 'it is deleting'],
    ['in maintenance', { status: 'maintenance' }, 'CannotRestore', 'it is maintenance'],
  ] as const)('is refused while the volume is %s', (_what, change, code, why) => {
    const refusal = refusedBy(restore({ ...ask, discardChanges: true })(moved(change)));

    expect(refusal).toMatchObject({ code, message: expect.stringContaining(why) });
  });

  it('is refused while a migration is active, and says how to end it', () => {
    const command = { migrationId: OTHER_MIGRATION_ID, run: 1, destination: ELSEWHERE, options: OPTIONS, nowMs };
    const claimed = written(claim({ ...command, settled: ask.settled })(moved()));

    const refusal = refusedBy(restore(ask)(claimed));

    expect(refusal.code).toBe('VolumeClaimed');
    expect(refusal.message).toContain(OTHER_MIGRATION_ID);
    expect(refusal.remedy).toContain('volmove cancel');
  });

  it('is refused until the last outcome is seen recorded', () => {
    expect(refusedBy(restore({ ...ask, settled: null })(moved())).code).toBe('OutcomeUnsettled');
  });

  it('is refused of a source that is not kept, or whose time is over', () => {
    const never = refusedBy(restore(ask)(moved({ retained: [] })));
    const ofAnother = refusedBy(restore({ ...ask, migrationId: OTHER_MIGRATION_ID })(moved()));
    const late = refusedBy(restore({ ...ask, nowMs: kept.expiresAtMs })(moved()));

    expect(never.message).toContain('is not kept any more');
    expect(ofAnother.message).toContain('is not kept any more');
    expect(late.message).toContain(`until ${new Date(kept.expiresAtMs).toISOString()}`);
  });

  it('never goes to a destination that is kept for a retry', () => {
    const volume = moved({ retained: [{ ...kept, kind: 'destination' }] });

    expect(refusedBy(restore(ask)(volume)).code).toBe('CannotRestore');
  });

  it('asks for discard_changes when somebody may have written since, and goes with it', () => {
    const used = written(unreserve(nowMs)(written(reserve(nowMs)(moved()))));

    const refusal = refusedBy(restore(ask)(used));
    const next = written(restore({ ...ask, discardChanges: true })(used));

    expect(refusal).toMatchObject({ code: 'ChangesSinceMigration', httpStatus: 409 });
    expect(refusal.remedy).toContain('discard_changes');
    expect(next.location).toEqual(SOURCE_OBJECT);
    expect(next.retained.at(-1)?.restored).toEqual({ atMs: nowMs, by: 'root', discarded: true });
  });

  it('is refused of a source that is smaller than the volume', () => {
    const refusal = refusedBy(restore({ ...ask, discardChanges: true })(moved({ sizeBytes: 2 * GIB })));

    expect(refusal.message).toContain(`its source has ${GIB} bytes`);
  });

  it('voids the digests and checkpoints of before, and the source of an older migration asks for discard_changes', () => {
    const older = { ...kept, object: anObject('older', ELSEWHERE), migrationId: OTHER_MIGRATION_ID };
    const next = written(restore(ask)(moved({ retained: [older, kept] })));

    const refusal = refusedBy(restore({ ...ask, migrationId: OTHER_MIGRATION_ID, source: older.object })(next));

    expect(refusal.code).toBe('ChangesSinceMigration');
  });

  it('and a claim exclude each other: it raises the fence, and is refused where a claim came first', () => {
    const next = written(restore(ask)(moved()));
    const command = { migrationId: OTHER_MIGRATION_ID, run: 1, destination: ELSEWHERE, options: OPTIONS, nowMs };
    const claimed = written(claim({ ...command, settled: ask.settled })(moved()));

    expect(next.fence).toBeGreaterThan(moved().fence);
    expect(refusedBy(restore(ask)(claimed)).code).toBe('VolumeClaimed');
  });
});

describe('what is kept', () => {
  it('stays until its time is over', () => {
    expect(giveUpRetained(SOURCE_OBJECT.objectName, kept.expiresAtMs - 1)(moved()).kind).toBe('already');
    expect(written(giveUpRetained(SOURCE_OBJECT.objectName, kept.expiresAtMs)(moved())).retained).toEqual([]);
  });

  it('is wiped before it goes when that was asked for: at its expiry, at once, or with its volume', () => {
    const options = { ...OPTIONS, wipe: true as const, sourceRetentionSeconds: 60 };
    const claimed = written(
      claim({ migrationId: MIGRATION_ID, run: 1, destination: DESTINATION, options, settled: null, nowMs })(aVolume()),
    );
    const proof = { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 } as const;
    const next = written(finalize({ migrationId: MIGRATION_ID, run: 1, destination: MADE, proof, nowMs })(claimed));
    const [source] = next.retained;
    if (!source) throw new Error('nothing is kept');

    const restored = written(restore({ ...ask, nowMs: nowMs + 1 })(next));
    const deleted = written(requestDelete(nowMs)(next));
    const atOnce = written(
      endMigration({ outcome: success, report: null, who: 'execution', nowMs })(
        aMigration({ options: { ...options, sourceRetentionSeconds: 0 } }),
      ),
    );

    expect(entryOf(source)).toMatchObject({ objectName: SOURCE_OBJECT.objectName, role: 'source', wipe: true });
    expect(restored.retained).toMatchObject([{ object: MADE, wipe: true }]);
    expect(deleted.cleanup.map(({ objectName, role, wipe }) => [objectName, role, wipe])).toEqual([
      [MADE.objectName, 'volume', undefined],
      [SOURCE_OBJECT.objectName, 'volume', true],
    ]);
    expect(atOnce.cleanup).toMatchObject([{ role: 'source', wipe: true }]);
  });
});

describe('the migration’s story of a restore', () => {
  const ended = written(
    endMigration({ outcome: success, report: null, who: 'execution', nowMs: START_MS })(
      aMigration({ options: { ...OPTIONS, sourceRetentionSeconds: 60 } }),
    ),
  );
  const left = written(restore({ ...ask, discardChanges: true })(moved({ writeEpoch: 6 }))).retained[0];
  if (!left) throw new Error('nothing is left');
  const told = written(addMigrationCleanup(entryOf(left), nowMs + 9, left.restored)(ended));

  it('is told with the cleanup entry of what was left, once, with the time and the one who asked', () => {
    expect(told.restored).toEqual({ atMs: nowMs, by: 'root', discarded: true });
    expect(told.story.at(-1)).toEqual({
      atMs: nowMs,
      run: 1,
      who: 'root',
      from: 'succeeded',
      to: 'restored',
      why: 'back at its source; what was written since is discarded',
    });
    expect(told.cleanup).toMatchObject([{ objectName: 'made', role: 'destination', state: 'todo' }]);
    expect(addMigrationCleanup(entryOf(left), nowMs + 10, left.restored)(told).kind).toBe('already');
  });

  it.each([
    [true, 'which was wiped first'],
    ['thin', 'there was nothing to wipe'],
    [undefined, 'nothing is left of made'],
  ] as const)('goes on with what came of what it left: wiped %s', (wiped, why) => {
    const done = changeMigrationCleanup(
      'made',
      (e) => ({ ...e, state: 'done', ...(wiped === undefined ? {} : { wiped }) }),
      nowMs,
    );

    expect(written(done(told)).story.at(-1)).toMatchObject({ to: 'restored', why: expect.stringContaining(why) });
  });
});

describe('in any order of requests', () => {
  type Act = 'migrate' | 'fail' | 'restore' | 'restore anyway' | 'use' | 'expire' | 'remove' | 'delete' | 'later';
  const ACTS: readonly Act[] = ['migrate', 'fail', 'restore', 'restore anyway', 'use', 'expire', 'remove', 'later'];

  /** The volume, the objects that there are, and the cleanup entries: everything that decides what may be removed. */
  const history = () => {
    let volume: Volume = moved({ retained: [], location: SOURCE_OBJECT, placement: SOURCE, lastOutcome: null });
    const objects = new Set([SOURCE_OBJECT.objectName]);
    const entries = new Set<string>();
    let timeMs = nowMs;
    let made = 0;
    const apply = (rule: (v: Volume) => ReturnType<ReturnType<typeof restore>>): boolean => {
      const decision = rule(volume);
      if (decision.kind === 'write') volume = decision.next;
      return decision.kind === 'write';
    };
    const settled = (): RestoreCommand['settled'] => volume.lastOutcome;
    const migrate = (pick: number, succeeds: boolean): void => {
      made += 1;
      const migrationId = `migration-${made}`;
      const place = [SOURCE, DESTINATION, ELSEWHERE][pick % 3] ?? SOURCE;
      const options = { ...OPTIONS, sourceRetentionSeconds: (pick % 4) * 2 };
      const command = { migrationId, run: 1, destination: place, options, settled: settled(), nowMs: timeMs };
      if (!apply(claim(command))) return;
      const object = anObject(`object-${made}`, place);
      objects.add(object.objectName);
      const proof = { kind: 'digest', digest: 'd', writeEpoch: volume.writeEpoch, generation: 1 } as const;
      const reason = volmoveError('Cancelled', { by: 'somebody' }).toFailure();
      if (succeeds) apply(finalize({ migrationId, run: 1, destination: object, proof, nowMs: timeMs }));
      else {
        apply(release({ migrationId, run: 1, reason, nowMs: timeMs }));
        entries.add(object.objectName);
      }
    };
    const act = (what: Act, pick: number): void => {
      const one = volume.retained[pick % Math.max(1, volume.retained.length)];
      const name = [...entries][pick % Math.max(1, entries.size)];
      switch (what) {
        case 'migrate':
        case 'fail':
          migrate(pick, what === 'migrate');
          break;
        case 'restore':
        case 'restore anyway':
          if (one)
            apply(
              restore({
                ...ask,
                migrationId: one.migrationId,
                source: one.object,
                settled: settled(),
                discardChanges: what === 'restore anyway',
                nowMs: timeMs,
              }),
            );
          break;
        case 'use':
          apply(reserve(timeMs));
          apply(connect({ ...connection, atMs: timeMs }));
          apply(attach({ ...attachment, atMs: timeMs }));
          if (pick % 2 === 0) {
            apply(beginDetaching(timeMs));
            apply(detach(null, timeMs));
          }
          break;
        case 'expire':
          // the two writes of an expiry; whoever makes the first may die before the second
          if (one && one.expiresAtMs <= timeMs) {
            entries.add(one.object.objectName);
            if (pick % 2 === 0) apply(giveUpRetained(one.object.objectName, timeMs));
          }
          break;
        case 'remove':
          if (name === undefined) break;
          apply(giveUpRetained(name, timeMs));
          if (removable(volume, name)) objects.delete(name);
          break;
        case 'delete':
          apply(requestDelete(timeMs));
          break;
        case 'later':
          timeMs += pick * 500;
          break;
      }
    };
    return { act, volume: () => volume, objects, entries };
  };

  const steps = fc.array(fc.tuple(fc.constantFrom(...ACTS), fc.nat(9)), { maxLength: 40 });

  it('the volume has one location, which is there and in no cleanup, and everything that is kept is there', () => {
    fc.assert(
      fc.property(steps, (acts) => {
        const { act, volume, objects, entries } = history();
        for (const [what, pick] of acts) {
          act(what, pick);
          const { location, retained } = volume();
          const names = retained.map(({ object }) => object.objectName);
          expect(location).not.toBeNull();
          expect(objects).toContain(location?.objectName);
          expect(entries).not.toContain(location?.objectName);
          expect(names).not.toContain(location?.objectName);
          expect(new Set(names).size).toBe(names.length);
          for (const name of names) expect(objects).toContain(name);
        }
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('the requests do meet: some are restored, some are refused, some objects go', () => {
    const seen = { restored: 0, gone: 0, deletedLater: 0 };
    fc.assert(
      fc.property(steps, (acts) => {
        const { act, volume, objects, entries } = history();
        for (const [what, pick] of acts) {
          const before = objects.size;
          const epoch = volume().location?.objectName;
          act(what, pick);
          if (what.startsWith('restore') && volume().location?.objectName !== epoch) seen.restored += 1;
          if (objects.size < before) seen.gone += 1;
        }
        act('delete', 0);
        if (volume().location === null && entries.size > 0) seen.deletedLater += 1;
      }),
      { numRuns: 200, seed: 4 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });
});
