import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../host-agent/config.ts';
import { serveArgs } from '../../../host-agent/drivers/rbd/device.ts';
import { encryptionArgs, qemuName } from '../../../host-agent/drivers/rbd/names.ts';
import { refusedAt } from './refused-at.ts';

const configOf = (backend: object) =>
  parseConfig({ host_id: 'a', data_dir: '/var/lib/volmove', backends: [{ name: 'ceph', driver: 'rbd', ...backend }] });
const ACCESS = { conf: '/etc/ceph/a:b.conf', client: 'vm', keyring: '/keys/vm', require_encryption: false };
const POOL = { name: 'fast', pool: 'rbd' };

describe('the configuration of an rbd backend', () => {
  it('needs only the pools', () => {
    const { backends } = configOf({ pools: [POOL] });

    expect(backends[0]).toEqual({
      name: 'ceph',
      driver: 'rbd',
      conf: '/etc/ceph/ceph.conf',
      client: 'admin',
      require_encryption: false,
      timeout_seconds: 30,
      pools: [POOL],
    });
  });

  it('has all that is wrong with it said at once', () => {
    const error = refusedAt(() =>
      configOf({ conf: 'ceph.conf', client: 'client vm', pools: [{ name: 'fast', pool: 'a/b' }] }),
    );

    expect(error.message).toContain('3 problems');
  });
});

describe('what qemu is told', () => {
  it('is the path of the keyring and never what is in it, with what ends a part of a name escaped', () => {
    expect(qemuName(ACCESS, { ...POOL, namespace: 'tenant' }, 'disk@1:2', 30)).toBe(
      'rbd:rbd/tenant/disk\\@1\\:2:id=vm:conf=\\/etc\\/ceph\\/a\\:b.conf:keyring=\\/keys\\/vm:client_mount_timeout=30',
    );
  });

  it('has it speak encrypted when that is required', () => {
    const secure = { ...ACCESS, require_encryption: true };

    expect(qemuName(secure, POOL, 'disk', 30)).toContain(':ms_client_mode=secure:ms_mon_client_mode=secure');
    expect(encryptionArgs(secure)).toEqual(['--ms_client_mode=secure', '--ms_mon_client_mode=secure']);
    expect(encryptionArgs(ACCESS)).toEqual([]);
  });

  it('opens a source read-only, and nothing through a cache', () => {
    expect(serveArgs('/s', { name: 'rbd:a/b', mode: 'ro' })).toContain('--read-only');
    expect(serveArgs('/s', { name: 'rbd:a/b', mode: 'rw' })).not.toContain('--read-only');
    expect(serveArgs('/s', { name: 'rbd:a/b', mode: 'rw' }).join(' ')).toContain('--cache none --discard unmap');
  });
});
