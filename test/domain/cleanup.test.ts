import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailedTry,
  cleanupDone,
  cleanupNeedsYou,
  NEEDS_YOU_AFTER_TRIES,
  newCleanup,
  removalJobId,
} from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { START_MS } from '../helpers/clock.ts';
import { SOURCE_OBJECT } from '../helpers/factories.ts';

const failure = volmoveError('ObjectBusy', { object: 'o', reason: 'mapped' }).toFailure();
const entry = newCleanup(SOURCE_OBJECT, 'source');

describe('removals that fail', () => {
  it('are tried again later and later, ten minutes apart at the most, and never given up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (tries) => {
        const waitsMs = (n: number): number =>
          afterFailedTry({ ...entry, tries: n }, failure, START_MS).nextTryAtMs - START_MS;

        expect(waitsMs(tries)).toBeGreaterThan(0);
        expect(waitsMs(tries)).toBeLessThanOrEqual(600_000);
        expect(waitsMs(tries + 1)).toBeGreaterThanOrEqual(waitsMs(tries));
      }),
    );
  });

  it('need a person after some tries, and no longer when they are done', () => {
    const failed = { ...afterFailedTry({ ...entry, tries: NEEDS_YOU_AFTER_TRIES }, failure, START_MS) };

    expect(cleanupNeedsYou([entry])).toBe(false);
    expect(cleanupNeedsYou([{ ...failed, failedTries: NEEDS_YOU_AFTER_TRIES - 1 }])).toBe(false);
    expect(cleanupNeedsYou([entry, failed])).toBe(true);
    expect(cleanupNeedsYou([{ ...failed, state: 'done' }])).toBe(false);
  });

  it('are a new job each, named after the object that is never made again', () => {
    expect([1, 2].map((n) => removalJobId(entry, n))).toEqual([
      `${SOURCE_OBJECT.objectName}.1`,
      `${SOURCE_OBJECT.objectName}.2`,
    ]);
  });
});

describe('a cleanup', () => {
  it('is done when no entry is left to do, also when one was dropped because its object is wanted', () => {
    expect(cleanupDone([])).toBe(true);
    expect(
      cleanupDone([
        { ...entry, state: 'done' },
        { ...entry, state: 'dropped' },
      ]),
    ).toBe(true);
    expect(cleanupDone([{ ...entry, state: 'done' }, entry])).toBe(false);
  });
});
