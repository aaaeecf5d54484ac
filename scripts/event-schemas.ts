import { mkdir, writeFile } from 'node:fs/promises';
import * as z from 'zod';

/**
 * JSON schemas of the events' details (docs/events), version 1. `node scripts/event-schemas.ts` writes them; a test compares
 * them with what is written and with what is sent.
 */
const base = {
  version: z.literal('1'),
  sequence: z
    .int()
    .nonnegative()
    .describe('run, phase, attempt and n in one number; never decreases, a repeat has the same one'),
  at: z.iso.datetime().describe('when it happened, UTC'),
  migration_id: z.uuid(),
  run: z.int().positive().describe('raised by each retry or take-over of the migration'),
  volume_id: z.uuid(),
  tenant_id: z.string().describe('the project that the volume belongs to'),
};

const moved = {
  display_name: z.string().nullable(),
  size_bytes: z.int().positive(),
  source_host: z.string().describe('host@backend#pool'),
  destination_host: z.string().describe('host@backend#pool'),
  locked: z.boolean().describe('true: the volume is in maintenance meanwhile'),
};

const progress = {
  phase: z.enum(['copying', 'verifying', 'repairing', 'reverifying', 'moving']),
  host: z.string().describe('the host whose agent reports'),
  attempt: z.int().positive(),
  done_bytes: z.int().nonnegative().describe('bytes of the volume that are settled at the destination, holes included'),
  total_bytes: z.int().nonnegative(),
  percent: z.int().min(0).max(99).describe('of the phase; a migration is at 100 only when it has succeeded'),
  rate_bytes_per_second: z.int().nonnegative(),
  eta_seconds: z.int().nonnegative().nullable().describe('null while the rate is 0'),
  activity: z
    .enum(['copying', 'verifying', 'repairing', 'reverifying', 'moving', 'zeroing', 'paused', 'queued'])
    .describe(
      'the phase, or what is done within it: zeroing the end of a larger destination, or nothing, as it is paused',
    ),
};

const failure = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

export const EVENT_SCHEMAS = {
  'Volume Migration Started': z.object({
    ...base,
    ...moved,
    event_type: z.literal('volume.migrate.start'),
    requested_by: z.string(),
  }),
  'Volume Migration Progress': z.object({ ...base, ...progress, event_type: z.literal('volume.migrate.progress') }),
  'Volume Migration Stalled': z.object({ ...base, ...progress, event_type: z.literal('volume.migrate.stalled') }),
  'Volume Migration Ended': z.object({
    ...base,
    ...moved,
    event_type: z.literal('volume.migrate.end'),
    result: z.enum(['success', 'error']).describe('error: the volume is safe where it was'),
    host: z.string().describe('where the volume lives now'),
    reason: failure.nullable(),
    digest: z.string().nullable().describe('the content digest that both ends agreed on (volmove-merkle-1)'),
    duration_ms: z.int().nonnegative(),
  }),
  'Volume Migration Cleanup': z.object({
    ...base,
    event_type: z.literal('volume.migrate.cleanup'),
    result: z.enum(['done', 'needs_you']),
    left: z.array(z.object({ object: z.string(), host: z.string(), tries: z.int(), reason: z.string().nullable() })),
  }),
} as const;

/** `Volume Migration Started` -> `volume-migration-started.v1.schema.json` */
export const schemaFile = (detailType: string): string =>
  `${detailType.toLowerCase().replaceAll(' ', '-')}.v1.schema.json`;

export const schemaText = (detailType: keyof typeof EVENT_SCHEMAS): string => {
  const schema = z.toJSONSchema(EVENT_SCHEMAS[detailType], { target: 'draft-2020-12' });
  return `${JSON.stringify({ title: `${detailType}, detail version 1`, ...schema }, null, 2)}\n`;
};

if (import.meta.main) {
  const folder = new URL('../docs/events/', import.meta.url);
  await mkdir(folder, { recursive: true });
  for (const type of Object.keys(EVENT_SCHEMAS) as (keyof typeof EVENT_SCHEMAS)[]) {
    await writeFile(new URL(schemaFile(type), folder), schemaText(type));
  }
}
