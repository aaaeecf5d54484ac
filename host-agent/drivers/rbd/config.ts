import * as z from 'zod';
import { BACKEND, NAME } from '../config.ts';

const PATH = z.string().startsWith('/', 'an absolute path');
/** Names of Ceph, as they stand in an image's `pool/namespace/image`. */
const CEPH_NAME = z.string().regex(/^[^\s/@:\\]{1,80}$/, 'a name without space, slash, at, colon and backslash');

/** `rbd`: a pool is a pool of a Ceph cluster, or a namespace in it. */
export const RBD_BACKEND = z.strictObject({
  ...BACKEND,
  driver: z.literal('rbd'),
  conf: PATH.default('/etc/ceph/ceph.conf'),
  /** Without `client.` in front. */
  client: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, dot, dash and underscore')
    .default('admin'),
  /** Left out: what the conf says. Readable to the agent's user alone. */
  keyring: PATH.optional(),
  /** Nothing is said to the cluster but encrypted (msgr2, mode `secure`). */
  require_encryption: z.boolean().default(false),
  /** So long may the cluster leave a request without an answer. */
  timeout_seconds: z.int().min(1).max(600).default(30),
  pools: z
    .array(z.strictObject({ name: NAME, pool: CEPH_NAME, namespace: CEPH_NAME.optional() }))
    .min(1, 'at least one pool'),
});

export type RbdBackend = z.infer<typeof RBD_BACKEND>;
export type RbdPool = RbdBackend['pools'][number];
