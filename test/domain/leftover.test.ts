import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FoundInPool, judge, YOUNG_MS } from '../../domain/leftover.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { createdObjectName, parseObjectName, runObjectName } from '../../domain/names.ts';
import { VOLUME_STATUSES, type Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aMigration,
  anObject,
  aRetained,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  OTHER_MIGRATION_ID,
  SOURCE_OBJECT,
  VOLUME_ID,
} from '../helpers/factories.ts';

const OF_RUN = runObjectName(VOLUME_ID, MIGRATION_ID, 1);
const succeeded = aMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } });
const found = (change: Partial<FoundInPool> = {}): FoundInPool => ({
  objectName: OF_RUN,
  madeAtMs: START_MS - YOUNG_MS,
  volume: aVolume(),
  migration: succeeded,
  nowMs: START_MS,
  ...change,
});
const retained = (objectName: string) => aRetained({ object: anObject(objectName), migrationId: OTHER_MIGRATION_ID });
const claimBy = (migrationId: string, run: number): Volume['claim'] => ({
  migrationId,
  run,
  fence: 1,
  lock: false,
  phase: 'moving',
  destination: DESTINATION,
  options: OPTIONS,
  previousStatus: 'available',
  rollback: null,
  claimedAtMs: START_MS,
});

describe('the name of an object', () => {
  it('tells whose it is and who has made it', () => {
    expect(parseObjectName(createdObjectName(VOLUME_ID, 7))).toEqual({ volumeId: VOLUME_ID, made: { operation: 7 } });
    expect(parseObjectName(runObjectName(VOLUME_ID, MIGRATION_ID, 3))).toEqual({
      volumeId: VOLUME_ID,
      made: { migrationId: MIGRATION_ID, run: 3 },
    });
    expect(parseObjectName(`volume-${VOLUME_ID}-by hand`)).toEqual({ volumeId: VOLUME_ID, made: null });
  });

  it.each(['', 'volume-', 'vm-disk', `volume-${VOLUME_ID}`, `xvolume-${VOLUME_ID}-create-1`, 'volume-short-create-1'])(
    'is not ours: "%s"',
    (name) => {
      expect(parseObjectName(name)).toBeUndefined();
      expect(judge(found({ objectName: name })).verdict).toBe('unknown');
    },
  );
});

describe('an object that lies in a pool', () => {
  it('of a volume that does not refer to it, made by a migration that has ended, is a leftover', () => {
    expect(judge(found())).toMatchObject({ verdict: 'leftover', why: expect.stringContaining(MIGRATION_ID) });
  });

  it('of a deleted volume is a leftover as long as its migration is known, and unknown after that', () => {
    expect(judge(found({ volume: undefined })).verdict).toBe('leftover');
    expect(judge(found({ volume: undefined, migration: undefined }))).toMatchObject({
      verdict: 'unknown',
      why: expect.stringContaining('another installation'),
    });
  });

  it.each<[string, Partial<FoundInPool>]>([
    ['younger than an hour', { madeAtMs: START_MS - YOUNG_MS + 1 }],
    ['of an age that nobody knows', { madeAtMs: null }],
    ['of a form that no create and no run gives', { objectName: `volume-${VOLUME_ID}-copy` }],
    ['of a migration of another volume', { volume: undefined, migration: aMigration({ volumeId: 'another' }) }],
  ])('that is %s is unknown: a person has to say it', (_what, change) => {
    const migration = change.migration && { ...change.migration, stage: succeeded.stage };
    expect(judge(found({ ...change, ...(migration ? { migration: migration as Migration } : {}) })).verdict).toBe(
      'unknown',
    );
  });

  it.each<[string, Partial<FoundInPool>]>([
    ['that the volume lives on', { volume: aVolume({ location: anObject(OF_RUN) }) }],
    ['that the volume keeps', { volume: aVolume({ retained: [retained(OF_RUN)] }) }],
    ['that the claim’s run makes', { volume: aVolume({ claim: claimBy(MIGRATION_ID, 1) }) }],
    [
      'that a later run of the same migration may carry on with',
      { volume: aVolume({ claim: claimBy(MIGRATION_ID, 2) }) },
    ],
    ['that a retry of its migration may make', { objectName: runObjectName(VOLUME_ID, MIGRATION_ID, 2) }],
    [
      'that a later create of its volume may make',
      { objectName: createdObjectName(VOLUME_ID, 9), volume: aVolume({ operation: 8 }) },
    ],
    ['of a migration that has not ended', { migration: aMigration({ stage: { state: 'requested' } }) }],
    [
      'that the volume’s create may still make',
      { objectName: SOURCE_OBJECT.objectName, volume: aVolume({ status: 'creating', location: null }) },
    ],
    [
      'that a create may still make whose volume was called something else meanwhile',
      { objectName: SOURCE_OBJECT.objectName, volume: aVolume({ status: 'error', location: null }) },
    ],
  ])('%s is wanted, however old it is', (_what, change) => {
    expect(judge(found({ ...change, madeAtMs: 0 })).verdict).toBe('wanted');
  });

  it('is never removable when its volume refers to it, whatever else is true (property)', () => {
    const anyName = fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((n) => createdObjectName(VOLUME_ID, n)),
      fc
        .tuple(fc.constantFrom(MIGRATION_ID, OTHER_MIGRATION_ID), fc.integer({ min: 1, max: 3 }))
        .map(([id, run]) => runObjectName(VOLUME_ID, id, run)),
      fc.constant(`volume-${VOLUME_ID}-odd`),
    );
    const anyVolume = fc.record({
      location: fc.option(anyName),
      retained: fc.array(anyName, { maxLength: 3 }),
      claim: fc.option(fc.tuple(fc.constantFrom(MIGRATION_ID, OTHER_MIGRATION_ID), fc.integer({ min: 1, max: 3 }))),
      status: fc.constantFrom(...VOLUME_STATUSES),
      operation: fc.integer({ min: 1, max: 3 }),
    });
    let removable = 0;
    fc.assert(
      fc.property(
        anyName,
        anyVolume,
        fc.boolean(),
        fc.integer({ min: 0, max: 2 * YOUNG_MS }),
        (name, v, ended, age) => {
          const volume = aVolume({
            ...v,
            location: v.location === null ? null : anObject(v.location),
            retained: v.retained.map(retained),
            claim: v.claim === null ? null : claimBy(...v.claim),
          });
          const migration = aMigration(ended ? { stage: succeeded.stage } : {});
          const { verdict } = judge({ objectName: name, volume, migration, madeAtMs: START_MS - age, nowMs: START_MS });
          const made = parseObjectName(name)?.made;
          const byClaim = made && 'run' in made && v.claim?.[0] === made.migrationId && v.claim[1] === made.run;
          const referred = v.location === name || v.retained.includes(name) || byClaim === true;
          if (referred) expect(verdict).toBe('wanted');
          if (verdict === 'leftover') removable += 1;
        },
      ),
      { numRuns: 2000 },
    );
    expect(removable).toBeGreaterThan(50);
  });
});
