import * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';

/** The JSON of rbd and ceph. What is not used is not looked at: each release adds to it. */

const bytes = z.number().nonnegative();

export const INFO = z.object({
  name: z.string(),
  id: z.string(),
  size: bytes,
  snapshot_count: z.number().default(0),
  features: z.array(z.string()).default([]),
  flags: z.array(z.string()).default([]),
  create_timestamp: z.string().optional(),
  parent: z.object({ pool: z.string(), image: z.string(), snapshot: z.string() }).optional(),
});
export type Info = z.infer<typeof INFO>;

const MIGRATION = z.object({
  source_pool_name: z.string(),
  source_image_name: z.string(),
  source_image_id: z.string(),
  dest_image_id: z.string(),
  state: z.string(),
  state_description: z.string().default(''),
});

export const STATUS = z.object({
  watchers: z.array(z.object({ address: z.string(), client: z.number() })),
  migration: MIGRATION.optional(),
});
export type Status = z.infer<typeof STATUS>;

export const NAMES = z.array(z.string());
/** Of `ls --long`: a snapshot has a line of its own. */
export const LIST = z.array(
  z.object({ image: z.string(), id: z.string(), size: bytes, snapshot: z.string().optional() }),
);
/** `protected` is a string. */
export const SNAPSHOTS = z.array(z.object({ name: z.string(), protected: z.string().default('false') }));
export const CHILDREN = z.array(
  z.object({ pool: z.string(), pool_namespace: z.string().default(''), image: z.string() }),
);
export const TRASH = z.array(z.object({ id: z.string(), name: z.string() }));
const METADATA = z.record(z.string(), z.string());
export const DU = z.object({ images: z.array(z.object({ used_size: bytes })) });

export const FSID = z.object({ fsid: z.uuid() });
export const LSPOOLS = z.array(z.object({ poolnum: z.number(), poolname: z.string() }));
export const HEALTH = z.object({ checks: z.record(z.string(), z.unknown()).default({}) });
export const DF = z.object({
  stats: z.object({ total_bytes: bytes }),
  pools: z.array(
    z.object({
      name: z.string(),
      id: z.number(),
      stats: z.object({ stored: bytes, max_avail: bytes, quota_bytes: bytes.default(0) }),
    }),
  ),
});

/** ProgramUnfit when it is something else than what is known of this program's answers. */
export const parseReport = <T extends z.ZodType>(schema: T, text: string, program: string): z.infer<T> => {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw volmoveError(
      'ProgramUnfit',
      { program, found: 'one whose answers are not understood', wanted: 'one of Ceph 14 or later' },
      { cause: error },
    );
  }
};

/** Of an image without any it prints nothing at all, or an empty list. */
export const parseMetadata = (text: string): Readonly<Record<string, string>> =>
  ['', '[]'].includes(text.trim()) ? {} : parseReport(METADATA, text, 'rbd');
