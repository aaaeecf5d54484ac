import { vi } from 'vitest';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { type AgentRig, PLACE } from './agent-rig.ts';

/** Everything that is opened from now on for reading ('ro': the source) or for writing ('rw': the destination's export) is spoiled. */
export const spoil = (agent: AgentRig, mode: 'ro' | 'rw', spoiled: (device: BlockDevice) => BlockDevice): void => {
  const driver = agent.parts.backends.get(PLACE);
  const open = driver.open.bind(driver);
  vi.spyOn(driver, 'open').mockImplementation(async (object, asked, signal) => {
    const opened = await open(object, asked, signal);
    return asked === mode ? { ...opened, device: spoiled(opened.device) } : opened;
  });
};
