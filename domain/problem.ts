import { VolmoveError } from './error.ts';
import { harmless } from './harmless.ts';

/** A problem that a process goes on from, as one plain line for a person at a terminal; a log keeps the error whole. */

const AWAY = new Set([
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** Of calls to the service alone: what an agent says to its peers fails by the same codes, but is none of an SDK's errors. */
const isOfService = (error: Error): boolean => '$metadata' in error;

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').trim();

const codeOf = (error: Error): string | undefined => {
  const { code, name } = error as Error & { code?: unknown };
  return typeof code === 'string' ? code : name;
};

const ofService = (error: Error, service: string | undefined): string | undefined => {
  const at = service === undefined ? '' : ` at ${service}`;
  const code = codeOf(error);
  // an embedded cloud listens before its table is made; on AWS it is the wrong name or region
  const starts = code === 'ResourceNotFoundException' && service !== undefined;
  if (code === 'ECONNREFUSED' || starts) return `the service is not up${at}: tried again`;
  if (code !== undefined && (AWAY.has(code) || code === 'TimeoutError'))
    return `the service cannot be reached${at} (${code}): tried again`;
  return undefined;
};

const reasonOf = (thrown: unknown, service: string | undefined): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof VolmoveError) return thrown.message;
  const told = isOfService(thrown) ? ofService(thrown, service) : undefined;
  return told ?? (thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`);
};

/** What was being done, and why it failed. `service`: where the service is expected. */
export const problemText = (what: string, thrown: unknown, service?: string): string =>
  harmless(`${what}: ${firstLine(reasonOf(thrown, service))}`);

/** With the time of day, in UTC. */
export const problemLine = (text: string, atMs: number): string =>
  `${new Date(atMs).toISOString().slice(11, 19)} ${text}`;
