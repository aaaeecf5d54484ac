/** Parts of a volume, as people read them: [fromByte, endByte). */
export interface ByteRange {
  readonly fromByte: number;
  readonly endByte: number;
}

/** The first ranges of a list that may be long, and how many are left out. */
export interface NamedRanges {
  readonly ranges: readonly ByteRange[];
  readonly more: number;
}

/** In the middle of a sentence. */
export const formatRanges = ({ ranges, more }: NamedRanges): string => {
  if (ranges.length === 0) return 'no bytes that can be named';
  const named = ranges.map(({ fromByte, endByte }) => `[${fromByte}, ${endByte})`).join(', ');
  return `the bytes ${more === 0 ? named : `${named} and ${more} more ranges`}`;
};
