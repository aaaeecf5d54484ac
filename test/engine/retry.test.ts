import { describe, expect, it } from 'vitest';
import type { Retrier } from '../../embedded/engine/definition/types.ts';
import { matchesError, nextRetry } from '../../embedded/engine/run/retry.ts';

describe('whether ErrorEquals names an error', () => {
  const errors = [
    'Own',
    'States.Timeout',
    'States.DataLimitExceeded',
    'States.Runtime',
    'States.QueryEvaluationError',
    undefined,
  ];
  it.each([
    ['States.ALL', [true, true, false, false, true, true]],
    ['States.TaskFailed', [true, false, false, false, true, true]],
    ['States.Timeout', [false, true, false, false, false, false]],
    ['States.DataLimitExceeded', [false, false, true, false, false, false]],
    ['States.Runtime', [false, false, false, false, false, false]],
    ['Own', [true, false, false, false, false, false]],
    ['Other', [false, false, false, false, false, false]],
  ])('%s', (name, expected) => {
    expect(errors.map((error) => matchesError([name], error))).toEqual(expected);
  });
});

describe('the delays of a retrier', () => {
  const retrier: Retrier = {
    errorEquals: ['States.ALL'],
    intervalSeconds: 3,
    backoffRate: 2,
    maxAttempts: 4,
    maxDelaySeconds: Number.POSITIVE_INFINITY,
    jitter: 'NONE',
  };

  function delays(changes: Partial<Retrier>, random = 0.5): number[] {
    const found: number[] = [];
    let counts: readonly number[] = [];
    for (;;) {
      const retry = nextRetry([{ ...retrier, ...changes }], counts, 'Own', () => random);
      if (retry === undefined) return found;
      found.push(retry.delayMs);
      counts = retry.counts;
    }
  }

  it('grow by the rate, as often as there are attempts', () => {
    expect(delays({})).toEqual([3000, 6000, 12_000, 24_000]);
  });

  it('are limited by the longest delay', () => {
    expect(delays({ maxDelaySeconds: 10 })).toEqual([3000, 6000, 10_000, 10_000]);
  });

  it('are anywhere from zero to the delay with full jitter', () => {
    expect(delays({ jitter: 'FULL' }, 0)).toEqual([0, 0, 0, 0]);
    expect(delays({ jitter: 'FULL' }, 0.5)).toEqual([1500, 3000, 6000, 12_000]);
  });

  it('are none without attempts', () => {
    expect(delays({ maxAttempts: 0 })).toEqual([]);
  });

  it('count for each retrier on its own', () => {
    const retriers = [
      { ...retrier, errorEquals: ['A', 'B'], intervalSeconds: 1, maxAttempts: 2 },
      { ...retrier, errorEquals: ['C'], intervalSeconds: 5 },
    ];
    const found: (number | undefined)[] = [];
    let counts: readonly number[] = [];
    for (const error of ['A', 'B', 'C', 'B']) {
      const retry = nextRetry(retriers, counts, error, () => 0);
      found.push(retry?.delayMs);
      counts = retry?.counts ?? counts;
    }

    expect(found).toEqual([1000, 2000, 5000, undefined]);
  });
});
