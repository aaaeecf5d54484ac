import * as z from 'zod';
import { volmoveError } from '../../domain/error.ts';

/** Everything a Lambda is told by its environment, parsed once at load: a missing value fails the cold start, all at once. */
const schema = z.object({
  AWS_REGION: z.string().min(1).default('us-east-1'),
  VOLMOVE_ENDPOINT_URL: z.url().optional(),
  VOLMOVE_TABLE: z.string().min(3),
  VOLMOVE_BUS: z.string().min(1),
  VOLMOVE_MIGRATE_MACHINE_ARN: z.string().startsWith('arn:'),
  VOLMOVE_VOLUME_MACHINE_ARN: z.string().startsWith('arn:'),
  /** Milliseconds; short in the embedded cloud. */
  VOLMOVE_HOST_LOST_AFTER_MS: z.coerce.number().int().positive().default(600_000),
  /** A request or an outcome is left to those who are at work on it for this long before the sweeper steps in. */
  VOLMOVE_SWEEP_GRACE_MS: z.coerce.number().int().nonnegative().default(60_000),
  /** How long the execution waits for a removal before it leaves it to the sweeper, in seconds. */
  VOLMOVE_REMOVAL_WAIT_SECONDS: z.coerce.number().int().positive().default(60),
  VOLMOVE_COPY_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .positive()
    .max(14 * 86_400)
    .default(7 * 86_400),
  /** A pause that has lasted for so long ends by itself. */
  VOLMOVE_PAUSE_MAX_SECONDS: z.coerce.number().int().positive().default(86_400),
  VOLMOVE_STEP_TIMEOUT_SECONDS: z.coerce.number().int().positive().default(900),
  VOLMOVE_AUTH: z.enum(['noauth']).default('noauth'),
  VOLMOVE_MAX_BODY_BYTES: z.coerce.number().int().positive().default(262_144),
});

export interface Settings {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly table: string;
  readonly bus: string;
  readonly machines: { readonly 'migrate-volume': string; readonly 'volume-job': string };
  readonly hostLostAfterMs: number;
  readonly sweepGraceMs: number;
  readonly removalWaitSeconds: number;
  readonly copyTimeoutSeconds: number;
  readonly stepTimeoutSeconds: number;
  readonly pauseMaxMs: number;
  readonly maxBodyBytes: number;
}

export const parseSettings = (env: Readonly<Record<string, string | undefined>>): Settings => {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    throw volmoveError('ConfigInvalid', {
      problems: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    });
  }
  const e = parsed.data;
  return {
    region: e.AWS_REGION,
    endpoint: e.VOLMOVE_ENDPOINT_URL,
    table: e.VOLMOVE_TABLE,
    bus: e.VOLMOVE_BUS,
    machines: { 'migrate-volume': e.VOLMOVE_MIGRATE_MACHINE_ARN, 'volume-job': e.VOLMOVE_VOLUME_MACHINE_ARN },
    hostLostAfterMs: e.VOLMOVE_HOST_LOST_AFTER_MS,
    sweepGraceMs: e.VOLMOVE_SWEEP_GRACE_MS,
    removalWaitSeconds: e.VOLMOVE_REMOVAL_WAIT_SECONDS,
    copyTimeoutSeconds: e.VOLMOVE_COPY_TIMEOUT_SECONDS,
    stepTimeoutSeconds: e.VOLMOVE_STEP_TIMEOUT_SECONDS,
    pauseMaxMs: e.VOLMOVE_PAUSE_MAX_SECONDS * 1000,
    maxBodyBytes: e.VOLMOVE_MAX_BODY_BYTES,
  };
};
