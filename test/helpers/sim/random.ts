/** Seeded chance: the same seed makes the same choices for ever. */
export interface Chance {
  /** In [0, 1). */
  readonly next: () => number;
  readonly below: (limit: number) => number;
  readonly happens: (probability: number) => boolean;
  /** One of the choices by weight; undefined when all weights are 0. */
  readonly weighed: <T extends { readonly weight: number }>(choices: readonly T[]) => T | undefined;
}

export const chanceOf = (seed: number): Chance => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    happens: (probability) => next() < probability,
    weighed(choices) {
      let at = next() * choices.reduce((sum, { weight }) => sum + weight, 0);
      return choices.find(({ weight }) => {
        at -= weight;
        return weight > 0 && at < 0;
      });
    },
  };
};
