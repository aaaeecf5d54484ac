import { parseEndpoint } from '../api/transport.ts';
import { type Client, createClient } from '../client.ts';
import { harmlessLines, wrap } from '../output/line.ts';
import { createPaint, marksFor, type Paint } from '../output/paint.ts';
import type { TableLook } from '../output/table.ts';
import type { CliDeps, OutputStream } from './deps.ts';

/** What one command works with: the API, and the two ways out: data to stdout, messages to stderr. */

export interface GlobalOptions {
  readonly json?: boolean;
  readonly endpoint?: string;
  readonly token?: string;
}

export interface Session {
  readonly deps: CliDeps;
  readonly client: Client;
  readonly json: boolean;
  readonly paint: Paint;
  /** How wide a table may be on stdout. */
  readonly look: TableLook;
  /** Data, as it is. */
  readonly data: (text: string) => void;
  /** One JSON document; on one line where a stream of them is promised. */
  readonly document: (value: unknown, layout?: 'document' | 'line') => void;
  /** A message for the person; never part of the data. */
  readonly say: (message: string) => void;
}

export const DEFAULT_ENDPOINT = 'http://127.0.0.1:8776';
export const DEFAULT_TOKEN = 'admin:demo';

const paragraph = (message: string, stream: OutputStream): string =>
  harmlessLines(message)
    .split('\n')
    .flatMap((line) => wrap(line, stream.isTty ? stream.columns() : Number.POSITIVE_INFINITY))
    .join('\n');

export const createSession = (deps: CliDeps, options: GlobalOptions): Session => {
  const { stdout, stderr, env } = deps;
  const endpoint = parseEndpoint(options.endpoint ?? (env.VOLMOVE_ENDPOINT || DEFAULT_ENDPOINT));
  const token = options.token ?? (env.VOLMOVE_TOKEN || DEFAULT_TOKEN);
  const paint = createPaint(env, stdout.isTty);
  return {
    deps,
    client: createClient(deps, endpoint, token),
    json: options.json === true,
    paint,
    look: {
      paint,
      ellipsis: marksFor(env, stdout.isTty).ellipsis,
      columns: stdout.isTty ? stdout.columns() : Number.POSITIVE_INFINITY,
    },
    data: (text) => stdout.write(text),
    document: (value, layout = 'document') =>
      stdout.write(`${layout === 'line' ? JSON.stringify(value) : JSON.stringify(value, null, 2)}\n`),
    say: (message) => stderr.write(`${paragraph(message, stderr)}\n`),
  };
};
