import { describe, expect, it } from 'vitest';
import { type Blow, type Played, play } from '../helpers/sim/script.ts';
import { MIGRATION } from './scenes.ts';

/** Each run has one Started and one Ended, in this order, however its execution ends. */

const stoppedAt = (where: RegExp): Blow => {
  let stopped = false;
  return ({ thread, label }, sim) => {
    const [execution] = sim.engine.executions();
    if (stopped || !execution || !where.test(`${thread.name} ${label}`)) return 'none';
    stopped = true;
    sim.engine.abort(execution, 'ABORTED');
    return 'none';
  };
};

const toldBy = ({ sim }: Played): string[] =>
  sim.events
    .filter(({ detail }) => ['volume.migrate.start', 'volume.migrate.end'].includes(detail.event_type))
    .map(({ detail }) => `${detail.event_type} ${detail.run}`);

const ONCE = ['volume.migrate.start 1', 'volume.migrate.end 1'];

describe('a migration whose execution is stopped by hand', () => {
  it.each([
    ['before its first step', /enters NotifyStarted/],
    ['before its start is told', /NotifyStarted tells/],
    ['in mid-copy', /reads chunk 1/],
    ['before it is finalized', /enters Finalize/],
  ])('is told as one start and one end: %s', async (_name, where) => {
    const played = await play(MIGRATION, stoppedAt(where));

    expect(played.broken).toBeUndefined();
    expect([...new Set(toldBy(played))]).toEqual(ONCE);
    expect([...played.checks.outcomes.values()]).toEqual(['error']);
  });
});
