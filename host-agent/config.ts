import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { volmoveError } from '../domain/error.ts';
import { HOST_ID } from '../domain/placement.ts';
import { isMissing } from '../local/durable-file.ts';
import { CONCURRENCY } from './drivers/config.ts';
import { FILE_BACKEND } from './drivers/file/config.ts';
import { LVM_BACKEND } from './drivers/lvm/config.ts';
import { RBD_BACKEND } from './drivers/rbd/config.ts';

/** The agent's configuration: one JSON file, parsed once, all of its problems said at once. */

const backend = z.discriminatedUnion('driver', [FILE_BACKEND, LVM_BACKEND, RBD_BACKEND]);

const schema = z.strictObject({
  host_id: z.string().regex(HOST_ID, 'letters, digits, dash and underscore, 60 at the most'),
  data_dir: z.string().startsWith('/', 'an absolute path'),
  /** `http://127.0.0.1:PORT` of an embedded cloud; left out: AWS by the SDK's default chain. */
  endpoint: z.url().optional(),
  region: z.string().min(1).default('us-east-1'),
  table: z.string().min(3).default('volmove'),
  bus: z.string().min(1).default('volmove'),
  /** Makes the host's queue itself; for agents of an embedded cloud. */
  auto_register: z.boolean().default(false),
  /** Where other agents reach this one's exports; port 0 takes a free one and keeps it. */
  data_address: z
    .string()
    .regex(/^[^\s:]+:\d{1,5}$/, 'host:port')
    .default('127.0.0.1:0'),
  migration_progress_report_interval: z.number().positive().max(3600).default(10),
  heartbeat_seconds: z.number().positive().max(60).optional(),
  concurrency: CONCURRENCY.default(4),
  /** MiB a second for all of the host's copies together; left out: no limit. */
  bandwidth_mib_per_second: z.number().positive().optional(),
  stall_after_seconds: z.number().positive().default(60),
  /** Null: a stall is told, and fails nothing. */
  stall_fail_after_seconds: z.number().positive().nullable().default(3600),
  peer_away_seconds: z.number().positive().default(120),
  /** So long may the other agent leave a request without an answer; then the connection is taken for lost. */
  peer_answer_seconds: z.number().positive().default(30),
  backends: z.array(backend).min(1, 'at least one backend'),
});

export type AgentConfig = z.infer<typeof schema> & { readonly heartbeat_seconds: number };
export type BackendConfig = AgentConfig['backends'][number];

const doubles = (names: readonly string[], what: string): string[] =>
  [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map((name) => `${what} ${name} is there twice`);

/** An embedded cloud is near, costs nothing and waits for no host longer than seconds. */
const heartbeatSecondsAt = (endpoint: string | undefined): number => (endpoint === undefined ? 20 : 2);

export const parseConfig = (value: unknown): AgentConfig => {
  const parsed = schema.safeParse(value);
  const problems = parsed.success
    ? [
        ...doubles(
          parsed.data.backends.map((b) => b.name),
          'backends: name',
        ),
        ...parsed.data.backends.flatMap((b) =>
          doubles(
            b.pools.map((p) => p.name),
            `backends.${b.name}: pool`,
          ),
        ),
      ]
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  if (!parsed.success || problems.length > 0) throw volmoveError('ConfigInvalid', { problems });
  const { heartbeat_seconds = heartbeatSecondsAt(parsed.data.endpoint) } = parsed.data;
  return { ...parsed.data, heartbeat_seconds };
};

export const readConfig = async (path: string): Promise<AgentConfig> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = isMissing(error) ? 'there is no such file' : (error as Error).message;
    throw volmoveError('ConfigInvalid', { problems: [`${path}: ${why}`] }, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw volmoveError(
      'ConfigInvalid',
      { problems: [`${path} is not JSON: ${(error as Error).message}`] },
      { cause: error },
    );
  }
  return parseConfig(value);
};
