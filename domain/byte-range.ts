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

export const formatRanges = ({ ranges, more }: NamedRanges): string => {
  const named = ranges.map(({ fromByte, endByte }) => `[${fromByte}, ${endByte})`).join(', ');
  return more === 0 ? named : `${named} and ${more} more`;
};
