import { describe, expect, it } from 'vitest';
import { type Story, tell } from '../helpers/sim/tell.ts';
import { PLANTS } from './plants.ts';

/** A test of the test: with any of these sentences of the design left out, the same search finds a story that breaks. */
const STORIES = 1_500;

describe('a search through random stories sees', () => {
  it.each(PLANTS)('$name', async ({ name: _name, seenAs, ...options }) => {
    let found: Story | undefined;
    let n = 0;

    for (let seed = 1; seed <= STORIES && !found; seed++) {
      n = seed;
      const story = await tell(seed, options);
      if (story.broken !== undefined && seenAs.test(story.broken)) found = story;
    }
    if (process.env.SHOW) console.log(_name, n, found?.broken);

    expect(found?.broken).toMatch(seenAs);
  });
});
