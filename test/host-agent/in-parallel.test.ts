import { describe, expect, it } from 'vitest';
import { inParallel } from '../../host-agent/in-parallel.ts';

describe('acting in parallel', () => {
  it('has so many under way and no more, and keeps the order', async () => {
    let underWay = 0;
    let most = 0;

    const results = await inParallel(3, [1, 2, 3, 4, 5, 6, 7], async (n) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return n * 10;
    });

    expect(results).toEqual([10, 20, 30, 40, 50, 60, 70]);
    expect(most).toBe(3);
  });

  it('fails with the first that fails and begins nothing more, and acts on nothing of nothing', async () => {
    const begun: number[] = [];
    const failing = inParallel(2, [1, 2, 3, 4, 5], async (n) => {
      begun.push(n);
      if (n === 2) throw new Error('two');
      await new Promise(setImmediate);
    });

    await expect(failing).rejects.toThrow('two');
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2]);
    expect(await inParallel(2, [], async () => 1)).toEqual([]);
  });
});
