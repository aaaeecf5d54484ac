import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from '../../host-agent/in-turn.ts';
import type { Rig } from '../system/rig.ts';
import type { Fault } from './draw.ts';

/**
 * Deals the faults of a round at their times, side by side; a part has one at a time. Resolves when everybody is up again, with
 * the times at which they struck.
 */
export const dealFaults = async (rig: Rig, faults: readonly Fault[]): Promise<readonly number[]> => {
  const turns = new Map(Object.keys(rig.pids()).map((part) => [part, createTurns()]));
  const strike = async (part: string, { kind, forMs }: Fault): Promise<void> => {
    if (kind === 'kill') await rig.kill(part);
    else rig.freeze(part);
    await sleep(forMs);
    if (kind === 'kill') await rig.start(part);
    else rig.thaw(part);
  };
  const deal = async (fault: Fault): Promise<number> => {
    await sleep(fault.atMs);
    const struckAtMs = Date.now();
    await Promise.all(fault.whom.map(async (part) => turns.get(part)?.(() => strike(part, fault))));
    return struckAtMs;
  };
  const dealt = await Promise.allSettled(faults.map(deal));
  return dealt.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
};
