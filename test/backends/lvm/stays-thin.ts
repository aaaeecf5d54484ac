import { expect } from 'vitest';
import { FILLED_MIB } from '../scenario/pools.ts';
import type { Stage } from '../scenario/stage.ts';
import { mappedMib } from './stage.ts';

/** What was not written takes nothing of the destination's thin pool. */
export const staysThin =
  (vg: string, place: string) =>
  async ({ objectsAt }: Stage, volume: string): Promise<void> => {
    const [name = ''] = await objectsAt(place, volume);
    expect(await mappedMib(vg, name)).toBeLessThanOrEqual(FILLED_MIB * 1.05);
  };
