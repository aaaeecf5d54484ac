import type { Microversion } from './microversion.ts';

/** What a resource is given and what it answers: HTTP without the event format around it. */

export const ROLES = ['reader', 'member', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks, for which project. Only administrators reach over projects. */
export interface Caller {
  readonly userId: string;
  readonly projectId: string;
  readonly role: Role;
}

/** Where links point: the origin the client used, and the path in front of a collection (with its project, if it had one). */
export interface LinkBase {
  readonly origin: string;
  readonly prefix: string;
}

export interface PublicRequest {
  readonly links: LinkBase;
}

export interface ApiRequest extends PublicRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON object of POST and PUT; undefined for the other methods. */
  readonly body: unknown;
  readonly path: string;
  readonly version: Microversion;
  readonly caller: Caller;
  /** Fires shortly before the function's time is over. */
  readonly signal: AbortSignal | undefined;
}

export interface Reply {
  readonly status: number;
  /** Undefined: an empty body. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parameter of a path; routes that name it always have it. */
export const param = (request: ApiRequest, name: string): string => request.params[name] ?? '';

export const isAdmin = (caller: Caller): boolean => caller.role === 'admin';
