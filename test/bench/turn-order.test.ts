import { describe, expect, it } from 'vitest';
import { turnOrder } from '../../bench/copy/measure/turn-order.ts';

const EVERYONE = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const ROUNDS = [1, 2, 3, 4, 5, 6, 7];

describe('the order of a round', () => {
  it('has everyone once, and is the same when it is asked for again', () => {
    for (const round of ROUNDS) {
      expect(turnOrder(EVERYONE, round).toSorted()).toEqual(EVERYONE);
      expect(turnOrder(EVERYONE, round)).toEqual(turnOrder(EVERYONE, round));
    }
  });

  it('gives nobody the same one before it in more than half of the rounds', () => {
    const before = (who: string, round: number): string | undefined => {
      const order = turnOrder(EVERYONE, round);
      return order[order.indexOf(who) - 1];
    };

    for (const who of EVERYONE) {
      for (const other of EVERYONE)
        expect(ROUNDS.filter((round) => before(who, round) === other).length).toBeLessThanOrEqual(3);
    }
  });
});
