import type { RbdBackend, RbdPool } from './config.ts';

/** How rbd and qemu call an image. */

export const poolSpec = ({ pool, namespace }: RbdPool): string =>
  namespace === undefined ? pool : `${pool}/${namespace}`;

/** How rados calls it. */
export const poolArgs = ({ pool, namespace }: RbdPool): string[] => [
  ...['--pool', pool],
  ...(namespace === undefined ? [] : ['--namespace', namespace]),
];

export const imageSpec = (pool: RbdPool, image: string): string => `${poolSpec(pool)}/${image}`;

/** A colon ends a part of qemu's name for an image, and an equals sign none of ours has. */
const escaped = (text: string): string => text.replace(/[\\:@/]/g, (character) => `\\${character}`);

const SECURE = ['ms_client_mode=secure', 'ms_mon_client_mode=secure'];

/** What a program of Ceph is told so that nothing is sent in clear text. */
export const encryptionArgs = ({ require_encryption }: Pick<RbdBackend, 'require_encryption'>): string[] =>
  require_encryption ? SECURE.map((setting) => `--${setting}`) : [];

type Access = Pick<RbdBackend, 'conf' | 'client' | 'keyring' | 'require_encryption'>;

/** The keyring by its path: what is in it never stands in a command line. */
export const qemuName = (access: Access, pool: RbdPool, image: string, timeoutSeconds: number): string =>
  [
    `rbd:${[pool.pool, ...(pool.namespace === undefined ? [] : [pool.namespace]), image].map(escaped).join('/')}`,
    `id=${escaped(access.client)}`,
    `conf=${escaped(access.conf)}`,
    ...(access.keyring === undefined ? [] : [`keyring=${escaped(access.keyring)}`]),
    ...(access.require_encryption ? SECURE : []),
    `client_mount_timeout=${timeoutSeconds}`,
  ].join(':');
