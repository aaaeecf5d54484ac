import { describe, expect, it } from 'vitest';
import { formatRanges } from '../../domain/byte-range.ts';

const range = (fromByte: number, endByte: number) => ({ fromByte, endByte });

describe('ranges of bytes, for people', () => {
  it.each([
    [{ ranges: [range(1_048_576, 2_097_152)], more: 0 }, 'the bytes [1048576, 2097152)'],
    [{ ranges: [range(0, 1), range(5, 9)], more: 0 }, 'the bytes [0, 1), [5, 9)'],
    [{ ranges: [range(0, 1)], more: 36 }, 'the bytes [0, 1) and 36 more ranges'],
    [{ ranges: [], more: 0 }, 'no bytes that can be named'],
  ])('%j', (ranges, text) => {
    expect(formatRanges(ranges)).toBe(text);
  });
});
