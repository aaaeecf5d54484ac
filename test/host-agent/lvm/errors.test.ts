import { describe, expect, it } from 'vitest';
import { lvmError, saidBy } from '../../../host-agent/drivers/lvm/errors.ts';
import { SAID } from './recorded.ts';

const CONTEXT = { place: 'lvm#main', object: 'volume-1' };

describe('what LVM says when it fails', () => {
  it.each(SAID)('is %s: exit %i, %s', (code, exitCode, stderr) => {
    const error = lvmError({ exitCode, stdout: '', stderr }, CONTEXT);

    expect(error.code).toBe(code);
    expect(error.remedy).not.toBe('');
  });

  it('is on one line, without its advice', () => {
    const stderr =
      '  WARNING: Sum of all thin volume sizes exceeds\n  Logical volume name "a b" is invalid.\n  Run `lvcreate --help\' for more information.\n';

    expect(saidBy({ exitCode: 3, stdout: '', stderr })).toBe('Logical volume name "a b" is invalid.');
  });

  it('is its advice when there is nothing else, and its exit code when there is nothing at all', () => {
    expect(saidBy({ exitCode: 5, stdout: '', stderr: '  WARNING: alone\n' })).toBe('WARNING: alone');
    expect(saidBy({ exitCode: 5, stdout: '', stderr: '' })).toContain('exit code 5');
  });

  it('of a volume that is active on another host tells to deactivate it there', () => {
    const error = lvmError({ exitCode: 5, stdout: '', stderr: '  LV locked by other host: vg0/thin1\n' }, CONTEXT);

    expect(error.code).toBe('ObjectBusy');
    expect(error.message).toContain('deactivate it there');
  });

  it('is judged line by line, and not by what it warns of', () => {
    const stderr = [
      '  WARNING: Device /dev/sdb has no free space left.',
      '  A device of the group',
      '  is missing nothing; it was refused.',
      '',
    ].join('\n');

    const error = lvmError({ exitCode: 5, stdout: '', stderr }, CONTEXT);

    expect(error.code).toBe('BackendRefused');
    expect(error.message).toContain('A device of the group; is missing nothing; it was refused.');
  });

  it('of a pool that needs a check tells how it is repaired', () => {
    const stderr = '  Check of pool vg0/pool failed (status:1). Manual repair required!\n';

    const error = lvmError({ exitCode: 5, stdout: '', stderr }, CONTEXT);

    expect(error.code).toBe('BackendOffline');
    expect(error.message).toContain('lvchange -an VG/POOL');
    expect(error.message).toContain('lvconvert --repair VG/POOL');
  });

  it('of a missing right asks for root', () => {
    const stderr =
      '  WARNING: Running as a non-root user. Functionality may be unavailable.\n  /run/lock/lvm/P_global:aux: open failed: Permission denied\n';

    expect(lvmError({ exitCode: 5, stdout: '', stderr }, CONTEXT).code).toBe('NotPermitted');
  });
});
