import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { volmoveError } from '../../domain/error.ts';
import type { Deps } from '../shared/deps.ts';
import { rootVersions, versionThree } from './discovery/versions.ts';
import { readJson } from './http/body.ts';
import { errorReply, isUnforeseen } from './http/errors.ts';
import type { Reply } from './http/exchange.ts';
import { originOf } from './http/links.ts';
import { type Microversion, microversionOf } from './http/microversion.ts';
import type { Authenticate } from './http/noauth.ts';
import { enforce } from './http/policy.ts';
import { createRouter } from './http/router.ts';
import { type Target, targetOf } from './http/target.ts';
import { openApi } from './openapi.ts';
import { ROUTES } from './routes.ts';

/** The whole HTTP API as one function: finds the resource, finds out who asks, lets the resource answer. */

export interface ApiOptions {
  readonly authenticate: Authenticate;
  /** Hears of every error that nobody foresaw: its text goes to the log and to nobody else. */
  readonly report: (error: unknown, requestId: string) => void;
}

/** What is known of a request by the time it is answered, also when it fails half-way. */
interface Exchange {
  version: Microversion | undefined;
  ours: boolean;
}

type Result = APIGatewayProxyStructuredResultV2;

const route = createRouter(ROUTES);
const WITH_BODY = new Set(['POST', 'PUT']);

const discovery = (target: Target, method: string, origin: string): Reply | undefined => {
  if (target.kind !== 'root' && target.kind !== 'version') return undefined;
  if (method !== 'GET')
    throw volmoveError('MethodNotAllowed', { method: method.slice(0, 20), path: target.kind === 'root' ? '/' : '/v3' });
  return target.kind === 'root' ? rootVersions(origin) : versionThree(origin);
};

const answer =
  (deps: Deps, { authenticate }: ApiOptions) =>
  async (event: APIGatewayProxyEventV2, exchange: Exchange, signal: AbortSignal | undefined): Promise<Reply> => {
    const { method } = event.requestContext.http;
    const origin = originOf(event);
    const target = targetOf(event.rawPath);
    const document = discovery(target, method, origin);
    if (document) return document;

    const segments = target.kind === 'resource' ? target.segments : undefined;
    if (segments?.join('/') === 'openapi.json' && method === 'GET') return await openApi();
    const match = segments ? route(method, segments) : volmoveError('RouteNotFound', { path: event.rawPath });
    exchange.ours = !(match instanceof Error) && match.route.ours === true;
    const urlProject = target.kind === 'resource' ? target.projectId : undefined;
    const caller = authenticate(event.headers, urlProject);
    exchange.version = microversionOf(event.headers['openstack-api-version']);
    if (match instanceof Error) throw match;
    if (match.route.policy) enforce(caller, match.route.policy);

    return match.route.handle(deps)({
      params: match.params,
      query: new URLSearchParams(event.rawQueryString),
      headers: event.headers,
      body: WITH_BODY.has(method) ? readJson(event, deps.settings.maxBodyBytes) : undefined,
      path: `/${segments?.join('/') ?? ''}`,
      links: { origin, prefix: urlProject === undefined ? '/v3' : `/v3/${encodeURIComponent(urlProject)}` },
      version: exchange.version,
      caller,
      signal,
    });
  };

const toResult = (reply: Reply, requestId: string, { version }: Exchange): Result => ({
  statusCode: reply.status,
  headers: {
    'content-type': 'application/json',
    ...reply.headers,
    ...(version === undefined ? {} : { 'openstack-api-version': `volume 3.${version}` }),
    vary: 'OpenStack-API-Version',
    'x-openstack-request-id': requestId,
    'x-compute-request-id': requestId,
  },
  body: reply.body === undefined ? '' : JSON.stringify(reply.body),
});

/** Errors become answers here and nowhere else. */
const errors = (
  options: ApiOptions,
  exchanges: WeakMap<object, Exchange>,
): middy.MiddlewareObj<APIGatewayProxyEventV2, Result> => ({
  onError: (request) => {
    const requestId = requestIdOf(request.event);
    const exchange = exchanges.get(request.event) ?? { version: undefined, ours: false };
    if (isUnforeseen(request.error)) options.report(request.error, requestId);
    request.response = toResult(errorReply(request.error, exchange.ours), requestId, exchange);
  },
});

const requestIdOf = (event: APIGatewayProxyEventV2): string => `req-${event.requestContext.requestId}`;

export const createApi = (deps: Deps, options: ApiOptions) => {
  const exchanges = new WeakMap<object, Exchange>();
  return middy<APIGatewayProxyEventV2, Result>()
    .use(errors(options, exchanges))
    .handler(async (event: APIGatewayProxyEventV2, _context: Context, { signal }: { signal: AbortSignal }) => {
      const exchange: Exchange = { version: undefined, ours: false };
      exchanges.set(event, exchange);
      return toResult(await answer(deps, options)(event, exchange, signal), requestIdOf(event), exchange);
    });
};
