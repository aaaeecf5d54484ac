import type { ZodType } from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from './exchange.ts';
import type { Policy } from './policy.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the version and the project; `{name}` takes one segment. */
  readonly path: string;
  /** Checked before the body is read; null where the resource itself decides. */
  readonly policy: Policy | null;
  /** One of our resources, not the standard's. */
  readonly ours?: boolean;
  /** For the OpenAPI document: what it does, what it takes, the status of its success. */
  readonly summary: string;
  readonly body?: ZodType;
  readonly answers: 200 | 202;
  readonly handle: (deps: Deps) => (request: ApiRequest) => Promise<Reply>;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

const segmentsOf = (path: string): string[] => path.split('/').slice(1);

const paramsOf = (pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined => {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
};

/** The route of a path, or the error that says why there is none; thrown by the caller, who authenticates first. */
export const createRouter = (routes: readonly Route[]) => {
  const table = routes.map((route) => ({ route, pattern: segmentsOf(route.path) }));
  return (method: string, segments: readonly string[]): Match | Error => {
    const here = table.flatMap(({ route, pattern }) => {
      const params = paramsOf(pattern, segments);
      return params ? [{ route, params }] : [];
    });
    const match = here.find(({ route }) => route.method === method);
    if (match) return match;
    const path = `/${segments.join('/')}`.slice(0, 255);
    return here.length > 0
      ? volmoveError('MethodNotAllowed', { method: method.slice(0, 20), path })
      : volmoveError('RouteNotFound', { path });
  };
};
