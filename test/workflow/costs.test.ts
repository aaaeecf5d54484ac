import { describe, expect, it } from 'vitest';
import { type Played, play } from '../helpers/sim/script.ts';
import { CANCELLED, MIGRATION } from './scenes.ts';

/** What a migration costs the control plane (design section 8): counted in undisturbed stories. */

const states = ({ sim, trace }: Played): number => {
  const names = sim.engine.executions().map(({ name }) => name);
  const tasks = trace.filter(
    (line) => names.some((name) => line.includes(`${name} enters`)) && !line.includes('retry'),
  );
  const choices = trace.some((line) => line.includes('enters ReleaseClaim')) ? 1 : 0;
  const start = 1;
  const end = 1;
  return start + tasks.length + choices + end;
};

/** No time passes in an undisturbed story, so its copy makes none. */
const REPORTS = 10;
const writes = ({ trace }: Played): number =>
  trace.filter((line) => / (writes|removes) [A-Z]+#/.test(line) && !/^~ (sweeper|owner) /.test(line)).length;

describe('an undisturbed migration', () => {
  it('takes at most 14 state transitions', async () => {
    const played = await play(MIGRATION);

    expect(played.broken).toBeUndefined();
    expect(states(played)).toBeLessThanOrEqual(14);
  });

  it('takes at most 16 state transitions when it is rolled back', async () => {
    const played = await play(CANCELLED);

    expect([...played.checks.outcomes.values()]).toEqual(['error']);
    expect(states(played)).toBeLessThanOrEqual(16);
  });

  it('takes 43 table writes with ten reports, where 45 are allowed', async () => {
    const played = await play(MIGRATION);

    expect(played.broken).toBeUndefined();
    expect(writes(played) + REPORTS).toBe(43);
  });
});
