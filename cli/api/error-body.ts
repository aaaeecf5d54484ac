import { ApiError } from '../errors.ts';

/** Reads the error bodies that Block Storage services and identity layers send; never loses the service's own words. */

const asRecord = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const shorten = (body: string): string => {
  const line = body.replace(/\s+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
};

/**
 * `{"itemNotFound": {code, message, error_code?, remedy?}}` in all its spellings, or whatever a proxy in between wrote.
 * `errorCode`: of the header, where a body of the standard has no room for it.
 */
export const apiErrorOf = (status: number, what: string, body: string, errorCode: string | null = null): ApiError => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // Not JSON: a proxy's page, kept as the message below.
  }
  const [kind, inner] = Object.entries(asRecord(parsed) ?? {})[0] ?? [];
  const fault = asRecord(inner);
  const message = text(fault?.message) ?? text(inner) ?? (body.trim() === '' ? null : shorten(body));
  return new ApiError({
    status,
    code: text(fault?.error_code) ?? errorCode ?? kind ?? `HTTP ${status}`,
    message: message ?? `${what} was answered with HTTP ${status} and no words.`,
    remedy: text(fault?.remedy),
  });
};
