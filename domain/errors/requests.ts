import { entry, type Id, type None, type Reason } from './entry.ts';

/** Requests that cannot be understood, and things that are not there. */
export const REQUEST_ERRORS = {
  InvalidRequest: entry<Reason>(400, false, (p) => p.reason, 'Correct what the message names, and ask again.'),
  MalformedBody: entry<Reason>(
    400,
    false,
    (p) => `Malformed request body: ${p.reason}`,
    'Send one JSON object as the body.',
  ),
  MalformedUrl: entry<None>(
    400,
    false,
    () => 'Malformed request url',
    'Use the project of your token in the URL, or leave it out.',
  ),
  BodyTooLarge: entry<{ limitBytes: number }>(
    413,
    false,
    (p) => `The request body is larger than ${p.limitBytes} bytes.`,
    'Send a smaller body.',
  ),
  Unauthorized: entry<Reason>(
    401,
    false,
    (p) => p.reason,
    'Send a token: X-Auth-Token or Authorization: Bearer (VOLMOVE_TOKEN).',
  ),
  Forbidden: entry<{ rule: string }>(
    403,
    false,
    (p) => `Policy doesn't allow ${p.rule} to be performed.`,
    'Ask an administrator, or use an administrator’s token.',
  ),
  RouteNotFound: entry<{ path: string }>(
    404,
    false,
    (p) => `The resource ${p.path} could not be found.`,
    'See GET /v3/openapi.json for what there is.',
  ),
  MethodNotAllowed: entry<{ method: string; path: string }>(
    405,
    false,
    (p) => `${p.method} is not allowed on ${p.path}.`,
    'See GET /v3/openapi.json for what there is.',
  ),
  VersionNotSupported: entry<{ asked: string; min: string; max: string }>(
    406,
    false,
    (p) => `Version ${p.asked} is not supported by the API. Minimum is ${p.min} and maximum is ${p.max}.`,
    'Ask for a version between the two.',
  ),
  IdempotencyMismatch: entry<None>(
    422,
    false,
    () => 'The Idempotency-Key was used before with another body.',
    'Use a new key for a new request.',
  ),

  // things that are not there
  VolumeNotFound: entry<Id>(
    404,
    false,
    (p) => `Volume ${p.id} could not be found.`,
    'List the volumes: volmove volumes.',
  ),
  MigrationNotFound: entry<Id>(
    404,
    false,
    (p) => `Migration ${p.id} could not be found.`,
    'List the migrations: volmove list.',
  ),
  HostUnavailable: entry<{ host: string }>(
    400,
    false,
    (p) => `Invalid host: No available service named '${p.host}'`,
    'See which hosts are up: volmove hosts; which pools there are: volmove pools.',
  ),
  PoolNotFound: entry<{ place: string }>(
    400,
    false,
    (p) => `Invalid host: No available service named '${p.place}'`,
    'List the pools: volmove pools.',
  ),
  NoPool: entry<{ sizeGib: number }>(
    400,
    false,
    (p) => `No pool has ${p.sizeGib} GiB free on a host that is up.`,
    'Free space, add a pool, or start the agent of another host.',
  ),
} as const;
