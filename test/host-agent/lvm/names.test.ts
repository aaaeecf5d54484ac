import { describe, expect, it } from 'vitest';
import { runObjectName } from '../../../domain/names.ts';
import { devicePath, dmName, nameProblem } from '../../../host-agent/drivers/lvm/names.ts';

const ID = '11111111-1111-4111-8111-111111111111';

describe('names of volumes', () => {
  it('of every run are fine in a group with a usual name', () => {
    expect(nameProblem('ubuntu-vg', runObjectName(ID, ID, 1))).toBeUndefined();
    expect(nameProblem('vg', 'a+b_c.d-e')).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '..',
    '-a',
    'a b',
    'a/b',
    'ä',
    'snapshot',
    'snapshot7',
    'pvmove0',
    'a_tmeta',
    'x_rimage_0',
    'a_mlogs',
  ])('are refused when LVM refuses them: %j', (name) => {
    expect(nameProblem('vg', name)).toMatch(/LVM/);
  });

  it('count their dashes twice, and the group’s too, against the length that device-mapper takes', () => {
    expect(nameProblem('vg', 'x'.repeat(124))).toBeUndefined();
    expect(nameProblem('vg', 'x'.repeat(125))).toContain('128 bytes');
    expect(nameProblem('v-g', 'x'.repeat(122))).toBeUndefined();
    expect(nameProblem('v-g', 'x'.repeat(123))).toContain('128 bytes');
  });

  it('are escaped for device-mapper alone', () => {
    expect(dmName('my-vg', 'a-b', 'tpool')).toBe('my--vg-a--b-tpool');
    expect(devicePath('my-vg', 'a-b')).toBe('/dev/my-vg/a-b');
  });
});
