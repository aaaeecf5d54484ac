import { describe, expect, it } from 'vitest';
import { soak } from '../soak/soak.ts';

const SEED = 20;

describe('a copy whose agents are killed again and again', () => {
  it('succeeds every time with equal content and nothing left over, and copies at most a checkpoint’s interval twice for each of 20 kills', async () => {
    const lines: string[] = [];

    const report = await soak({ seed: SEED, kills: 20, slowShare: 0, print: (line) => lines.push(line) });

    expect(report.violations, lines.join('\n')).toEqual([]);
    expect(report.kills).toBeGreaterThanOrEqual(20);
  }, 300_000);
});
