import { describe, expect, it } from 'vitest';
import { chaos } from '../chaos/chaos.ts';

const SEED = 10;
/** Of twenty volumes, all of which are asked to move. */
const MOST_IN_FLIGHT = 15;

describe('a cloud and agents that are killed and frozen in mid-flight', () => {
  it('come to rest within a minute after each of 10 rounds: everything terminal, content equal, nothing left over', async () => {
    const lines: string[] = [];

    const report = await chaos({ seed: SEED, rounds: 10, print: (line) => lines.push(line) });

    expect(report.violations, lines.join('\n')).toEqual([]);
    expect(report.rounds).toHaveLength(10);
    const inMidFlight = report.rounds.filter(({ inFlight }) => Math.max(...inFlight) >= MOST_IN_FLIGHT);
    expect(inMidFlight.length, lines.join('\n')).toBeGreaterThanOrEqual(5);
    expect(report.rounds.some(({ outcomes }) => (outcomes.succeeded ?? 0) > 0)).toBe(true);
  }, 600_000);
});
