import { describe, expect, it } from 'vitest';
import { createLvm } from '../../../host-agent/drivers/lvm/commands.ts';
import type { Tool } from '../../../host-agent/tools/run-tool.ts';

const NEVER = new AbortController().signal;

describe('a program of LVM’s', () => {
  it.each([
    ['lvcreate', true],
    ['lvextend', true],
    ['lvremove', true],
    ['lvchange', true],
    ['vgs', false],
    ['dmsetup', false],
    ['udevadm', false],
  ])('%s is never killed, because it changes the group: %s', async (program, neverKilled) => {
    const tools: Tool[] = [];
    const lvm = createLvm(async (tool) => {
      tools.push(tool);
      return { exitCode: 0, stdout: '', stderr: '' };
    }, 1_000);

    await lvm.run([program, 'vg/volume'], NEVER);

    expect(tools).toMatchObject([{ program, args: ['vg/volume'], neverKilled }]);
  });
});
