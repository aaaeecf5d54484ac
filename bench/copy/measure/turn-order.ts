/** A number that looks random, from two small ones (the last step of MurmurHash3). */
const mixed = (a: number, b: number): number => {
  let h = Math.imul(a + 1, 0x9e37_79b1) ^ Math.imul(b + 1, 0x85eb_ca77);
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/**
 * Everyone once, in another order each round, the same in every bench: a disk that saves up speed while a slow one computes gives it to
 * whoever comes next, and that must not be the same one every time.
 */
export const turnOrder = <T>(everyone: readonly T[], round: number): T[] =>
  everyone
    .map((each, index) => ({ each, key: mixed(index, round) }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
