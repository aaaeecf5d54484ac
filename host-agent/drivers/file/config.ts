import * as z from 'zod';
import { BACKEND, NAME } from '../config.ts';

/** `file`: a pool is a directory of this host. */
export const FILE_BACKEND = z.strictObject({
  ...BACKEND,
  driver: z.literal('file'),
  pools: z
    .array(z.strictObject({ name: NAME, path: z.string().startsWith('/', 'an absolute path of a directory') }))
    .min(1, 'at least one pool'),
});
