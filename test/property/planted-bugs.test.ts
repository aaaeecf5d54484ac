import { describe, expect, it } from 'vitest';
import { type Story, tell } from '../helpers/sim/tell.ts';
import { PLANTS } from './plants.ts';

/**
 * A test of the test: with any of these sentences of the design left out, a search through as many stories as watch the
 * real code (interleavings.test.ts) finds one that breaks.
 */
const STORIES = 1_000;
const TIMEOUT_MS = 120_000;

describe('a search through random stories sees', () => {
  it.each(PLANTS)(
    '$name',
    async ({ name: _name, seenAs, from = 1, ...options }) => {
      let found: Story | undefined;

      for (let seed = from; seed < from + STORIES && !found; seed++) {
        const story = await tell(seed, options);
        if (story.broken !== undefined && seenAs.test(story.broken)) found = story;
      }

      expect(found?.broken).toMatch(seenAs);
    },
    TIMEOUT_MS,
  );

  it('at least fifteen of them', () => {
    expect(PLANTS.length).toBeGreaterThanOrEqual(15);
  });
});
