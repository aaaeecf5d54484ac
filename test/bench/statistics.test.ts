import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ratioOf, spreadOf } from '../../bench/copy/measure/statistics.ts';

describe('medians', () => {
  it('of an odd number are the one in the middle', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
  });

  it('of an even number are the mean of the two in the middle', () => {
    expect(spreadOf([10, 1, 2, 4])).toEqual({ median: 3, min: 1, max: 10 });
  });

  it('of nothing are refused', () => {
    expect(() => spreadOf([])).toThrow('there is no median of nothing');
  });

  it('have as many values below as above, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 15 }), (values) => {
        const { median, min, max } = spreadOf(values);

        const below = values.filter((value) => value < median).length;
        const above = values.filter((value) => value > median).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
        expect(min).toBe(Math.min(...values));
        expect(max).toBe(Math.max(...values));
      }),
    );
  });
});

describe('a ratio', () => {
  it('is above 1 when the peer takes longer', () => {
    expect(ratioOf(3, 2)).toBe(1.5);
  });
});
