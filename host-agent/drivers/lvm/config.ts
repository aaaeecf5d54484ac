import * as z from 'zod';
import { BACKEND, NAME } from '../config.ts';

const LVM_NAME = z
  .string()
  .regex(/^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/, 'a name as LVM knows it: letters, digits, + _ . -, no dash first');

const PERCENT = z.number().min(1).max(100).default(95);

const POOL = z.strictObject({
  name: NAME,
  vg: LVM_NAME,
  /** A thin pool of the volume group; left out: thick (linear) volumes in the group itself. */
  thin_pool: LVM_NAME.optional(),
  /** How many times its size a thin pool may promise. */
  max_over_subscription_ratio: z.number().min(1).max(1000).default(20),
  /** From here on a thin pool counts as full, and nothing more is written that would take space: one that is really full hangs. */
  full_at_percent: z.strictObject({ data: PERCENT, metadata: PERCENT }).prefault({}),
  /** Takes a thin pool that does not zero new blocks: what a removed volume held may be seen through the next one. */
  allow_unzeroed: z.boolean().default(false),
});

/** `lvm`: a pool is a thin pool of a volume group of this host, or the group itself. */
export const LVM_BACKEND = z.strictObject({
  ...BACKEND,
  driver: z.literal('lvm'),
  /** For one command; LVM waits for its locks as long as somebody else holds them. */
  command_timeout_seconds: z.number().positive().max(3600).default(60),
  pools: z.array(POOL).min(1, 'at least one pool'),
});

export type LvmPoolConfig = z.infer<typeof POOL>;
