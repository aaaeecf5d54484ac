import { describe, expect, it } from 'vitest';
import { machineText, mountOf } from '../../bench/copy/machine.ts';

const MOUNTS = `/dev/vda / ext4 rw,relatime 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/vdb /srv xfs rw,noatime 0 0
/dev/vdc /srv xfs ro 0 0
`;

describe('the machine', () => {
  it.each([
    ['/home/a', 'ext4', 'rw,relatime'],
    ['/dev/shm/x', 'tmpfs', 'rw'],
    ['/dev/shmx', 'ext4', 'rw,relatime'],
    ['/srv', 'xfs', 'ro'],
  ])('has %s on %s (%s)', (path, fileSystem, options) => {
    expect(mountOf(MOUNTS, path)).toEqual({ fileSystem, options });
  });

  it('is described in a few lines, with what is not installed', () => {
    const lines = machineText({
      cores: 2,
      cpu: 'Some CPU',
      memoryGib: 23.54,
      kernel: '6.18.44',
      node: '24.21.0',
      load: 0.52,
      disk: { fileSystem: 'ext4', options: 'rw' },
      programs: new Map([
        ['dd', '9.1'],
        ['rsync', undefined],
      ]),
    });

    expect(lines).toEqual([
      '2 cores (Some CPU), 23.5 GiB, load 0.5',
      'Linux 6.18.44, Node 24.21.0, disk: ext4 (rw)',
      'dd 9.1',
      'not installed: rsync',
    ]);
  });
});
