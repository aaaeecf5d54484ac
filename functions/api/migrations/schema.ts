import * as z from 'zod';
import { PRIORITIES } from '../../../domain/priority.ts';
import type { MigrationOptions } from '../../../domain/volume/volume.ts';
import { line } from '../http/fields.ts';

/** Bodies of our own resource; unlike the standard's they take no key that they do not know. */

const YEAR_SECONDS = 365 * 86_400;
/** A source whose copy nobody verified is kept for at least this long. */
const UNVERIFIED_RETENTION_SECONDS = 86_400;

export const CREATE_MIGRATION = z
  .strictObject({
    migration: z.strictObject({
      volume_id: line.min(1),
      destination: line
        .min(1)
        .meta({ description: 'host@backend#pool; without a pool the one with the most free space' }),
      lock: z.boolean().nullish().meta({ description: 'Refuse attach and detach while the migration runs.' }),
      force_host_copy: z.boolean().nullish(),
      verify: z.enum(['full', 'none']).nullish(),
      destination_retention_seconds: z.int().min(0).max(YEAR_SECONDS).nullish().meta({
        description: 'How long what a failed run has copied is kept, so that a retry goes on with it.',
      }),
      source_retention_seconds: z.int().min(0).max(YEAR_SECONDS).nullish(),
      wipe: z.boolean().nullish().meta({
        description:
          'Overwrite the source before it is removed, where its backend is thick. What is thin is given back.',
      }),
      progress_interval_seconds: z.number().min(0.1).max(86_400).nullish(),
      bandwidth_bytes_per_second: z.int().min(1).nullish(),
      copy_engine: z.enum(['volmove', 'dd']).nullish().meta({
        description:
          'volmove by default. dd: one dd(1) that copies the whole virtual size between two paths of one host; it has no bandwidth limit and begins again after a crash.',
      }),
      priority: z.enum(PRIORITIES).nullish().meta({
        description: 'Who gets the next place of a host first, when more wait than may run; normal by default.',
      }),
      dry_run: z.boolean().nullish().meta({ description: 'Answer with the checks and change nothing.' }),
    }),
  })
  .meta({ id: 'MigrationCreate' });

export const NO_ARGUMENT = z.strictObject({}).nullable();

export const SET_BANDWIDTH = z
  .strictObject({
    bytes_per_second: z.int().min(1).nullable().meta({ description: 'What the copy may take; null: no limit.' }),
  })
  .meta({ id: 'SetBandwidth' });

export const SET_PRIORITY = z.strictObject({ priority: z.enum(PRIORITIES) }).meta({ id: 'SetPriority' });

export const RESTORE = z
  .strictObject({
    discard_changes: z.boolean().nullish().meta({ description: 'Give up what was written since the source was left.' }),
  })
  .nullable()
  .meta({ id: 'Restore' });

/** The whole body, for the OpenAPI document: one action a request. */
export const ACT_ON_MIGRATION = z
  .union([
    z.strictObject({ cancel: NO_ARGUMENT }),
    z.strictObject({ pause: NO_ARGUMENT }),
    z.strictObject({ resume: NO_ARGUMENT }),
    z.strictObject({ retry: NO_ARGUMENT }),
    z.strictObject({ set_bandwidth: SET_BANDWIDTH }),
    z.strictObject({ restore: RESTORE }),
    z.strictObject({ set_priority: SET_PRIORITY }),
  ])
  .meta({ id: 'MigrationAction' });

export const optionsOf = ({ migration: asked }: z.output<typeof CREATE_MIGRATION>): MigrationOptions => {
  const verify = asked.verify ?? 'full';
  const retention = asked.source_retention_seconds ?? 0;
  return {
    lock: asked.lock ?? false,
    forceHostCopy: asked.force_host_copy ?? false,
    verify,
    sourceRetentionSeconds: verify === 'none' ? Math.max(retention, UNVERIFIED_RETENTION_SECONDS) : retention,
    ...(asked.destination_retention_seconds
      ? { destinationRetentionSeconds: asked.destination_retention_seconds }
      : {}),
    ...(asked.progress_interval_seconds ? { progressIntervalSeconds: asked.progress_interval_seconds } : {}),
    ...(asked.bandwidth_bytes_per_second ? { bandwidthBytesPerSecond: asked.bandwidth_bytes_per_second } : {}),
    ...(asked.wipe ? { wipe: true as const } : {}),
    ...(asked.copy_engine === 'dd' ? { copyEngine: 'dd' as const } : {}),
    ...(asked.priority ? { priority: asked.priority } : {}),
  };
};
