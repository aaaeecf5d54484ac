/** Which parts of a range have come, in any order: chunks of one reply must not overlap, and must cover the whole in the end. */
export interface Coverage {
  /** False when a part of [from, end) was there before, or when there are too many gaps. */
  add(from: number, end: number): boolean;
  /** How much is covered. */
  readonly bytes: number;
}

/** The largest request in sectors of 512 bytes, which is as fine as a server should cut: even every other one is less than this. */
const MAX_RUNS = 65_536;

export const createCoverage = (): Coverage => {
  // sorted runs that do not touch each other
  const starts: number[] = [];
  const ends: number[] = [];
  let bytes = 0;

  const firstAfter = (at: number): number => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    add(from, end) {
      const next = firstAfter(from);
      const endBefore = ends[next - 1] ?? -1;
      const startAfter = starts[next] ?? Number.POSITIVE_INFINITY;
      if (endBefore > from || startAfter < end) return false;
      const [touchesBefore, touchesAfter] = [endBefore === from, startAfter === end];
      if (touchesBefore && touchesAfter) {
        starts.splice(next, 1);
        ends.splice(next - 1, 1);
      } else if (touchesBefore) ends[next - 1] = end;
      else if (touchesAfter) starts[next] = from;
      else {
        starts.splice(next, 0, from);
        ends.splice(next, 0, end);
      }
      bytes += end - from;
      return starts.length <= MAX_RUNS;
    },
    get bytes() {
      return bytes;
    },
  };
};
