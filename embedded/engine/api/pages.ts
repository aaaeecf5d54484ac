// nextToken: where a list goes on, opaque to the caller.
import { z } from 'zod';
import { invalidToken } from './errors.ts';

/** Step Functions' defaults: 100 items a page, at most 1000; 0 means the default. */
const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

export const maxResults = z
  .int()
  .min(0)
  .max(LARGEST_PAGE)
  .nullish()
  .transform((count) => (count === null || count === undefined || count === 0 ? DEFAULT_PAGE : count));

export const nextToken = z.string().max(4096).nullish();

export function encodeToken(place: unknown): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

/** Undefined for the first page. Throws InvalidToken when it was not made by `encodeToken` for this kind of list. */
export function decodeToken<T>(token: string | null | undefined, schema: z.ZodType<T>): T | undefined {
  if (token === null || token === undefined) return undefined;
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidToken();
    throw error;
  }
  const parsed = schema.safeParse(place);
  if (!parsed.success) throw invalidToken();
  return parsed.data;
}
