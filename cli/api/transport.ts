import { ApiError, usageError } from '../errors.ts';
import type { CliDeps } from '../runtime/deps.ts';
import { apiErrorOf } from './error-body.ts';

/** One request to the API: token, time limit, and every way it can fail as one ApiError. */

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the parsed body, or undefined for an empty one. */
export type Transport = (path: string, call?: Call) => Promise<unknown>;

const REQUEST_LIMIT_MS = 30_000;

/** The base that `/v3/...` is appended to. Accepts what people copy: a slash at the end, or `/v3`. */
export const parseEndpoint = (text: string): string => {
  const remedy = 'It looks like http://127.0.0.1:8776 (--endpoint or VOLMOVE_ENDPOINT).';
  if (!URL.canParse(text)) throw usageError(`The endpoint ${JSON.stringify(text)} is not a URL.`, remedy);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw usageError(`The endpoint ${JSON.stringify(text)} is neither http nor https.`, remedy);
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError('The endpoint carries a password.', 'Give the token with --token or VOLMOVE_TOKEN instead.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/u, '').replace(/\/v3$/u, '')}`;
};

/** The system's word for it (`ECONNREFUSED`), which fetch hides in the cause, or the cause of that when it tried two addresses. */
const networkReason = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name cannot be resolved';
  if (typeof code === 'string') return code;
  if (cause instanceof Error && cause.message !== '') return cause.message;
  return error instanceof Error ? error.message : String(error);
};

const isLoopback = (endpoint: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(new URL(endpoint).hostname);

const unreachable = (endpoint: string, reason: string, cause: unknown): ApiError =>
  new ApiError(
    {
      status: null,
      code: 'EndpointUnreachable',
      message: `No answer from ${endpoint}: ${reason}.`,
      remedy: isLoopback(endpoint)
        ? 'Start it with: volmove up'
        : 'Check --endpoint or VOLMOVE_ENDPOINT; on one machine, start it with: volmove up',
    },
    { cause },
  );

const urlOf = (endpoint: string, path: string, query: Call['query']): string => {
  const url = new URL(`${endpoint}/v3${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
};

const initOf = (token: string, call: Call, signal: AbortSignal): RequestInit => ({
  method: call.method ?? 'GET',
  headers: {
    accept: 'application/json',
    'x-auth-token': token,
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...call.headers,
  },
  ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  redirect: 'error',
  signal,
});

export const createTransport = (
  deps: Pick<CliDeps, 'fetch' | 'deadline'>,
  endpoint: string,
  token: string,
): Transport => {
  const exchange = async (
    url: string,
    call: Call,
  ): Promise<{ status: number; body: string; errorCode: string | null }> => {
    const limit = deps.deadline(REQUEST_LIMIT_MS);
    const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
    try {
      const response = await deps.fetch(url, initOf(token, call, signal));
      const errorCode = response.headers.get('x-volmove-error-code');
      return { status: response.status, body: await response.text(), errorCode };
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw unreachable(
        endpoint,
        limit.aborted ? `nothing came within ${REQUEST_LIMIT_MS / 1000} s` : networkReason(error),
        error,
      );
    }
  };

  return async (path, call = {}) => {
    const { status, body, errorCode } = await exchange(urlOf(endpoint, path, call.query), call);
    if (status >= 400) throw apiErrorOf(status, `${call.method ?? 'GET'} ${path}`, body, errorCode);
    if (body === '') return undefined;
    try {
      return JSON.parse(body) as unknown;
    } catch (error) {
      throw notOurs(endpoint, path, error);
    }
  };
};

export const notOurs = (endpoint: string, path: string, cause?: unknown): ApiError =>
  new ApiError(
    {
      status: 502,
      code: 'UnexpectedAnswer',
      message: `${endpoint} answered ${path} with something that is not volmove’s.`,
      remedy: 'Check --endpoint or VOLMOVE_ENDPOINT: is it volmove that listens there?',
    },
    { cause },
  );
