import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerAwsCall } from './aws-endpoint.ts';
import type { AwsCall, AwsService } from './aws-wire.ts';
import { listen } from './listen.ts';
import { type FrontRoutes, serviceOf } from './routes.ts';

/**
 * The one port of the embedded cloud: AWS-shaped endpoints for the processes of this machine, the HTTP API for everybody the
 * address lets in. Time-outs bound how long a slow sender may hold a connection; a slow answer (a long poll) is not bounded.
 */

export interface FrontOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly routes: FrontRoutes;
  /** Errors that a caller saw only as a 500. */
  readonly onError: (error: unknown) => void;
  /** Hears of each AWS-shaped call that was let in, before it is answered. */
  readonly onCall?: (call: Pick<AwsCall, 'target' | 'body'>) => void;
  readonly newRequestId?: () => string;
  readonly timeouts?: Partial<FrontTimeouts>;
}

export interface FrontTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long an idle connection is kept; longer than SDK clients keep theirs, so that they never write into a closing one. */
  readonly keepAliveMs: number;
  /** How long close() waits for answers under way. */
  readonly closeGraceMs: number;
}

const DEFAULT_TIMEOUTS: FrontTimeouts = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  closeGraceMs: 3_000,
};

export interface Front {
  /** Where a client on this machine reaches it, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

export const createFront = async (options: FrontOptions): Promise<Front> => {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const underWay = new Map<ServerResponse, AbortController>();
  const server = createServer({
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, timeouts.headersMs),
  });
  server.on('clientError', refuseMalformed);
  server.on('connection', (socket) => {
    // the end of what a caller sends is the first sign of its leaving; the close comes some turns later
    socket.once('end', () => {
      for (const [response, gone] of underWay) if (response.req.socket === socket) gone.abort();
    });
  });
  server.on('request', (request, response) => {
    const gone = new AbortController();
    underWay.set(response, gone);
    response.once('close', () => {
      underWay.delete(response);
      gone.abort();
    });
    route(options, request, response, gone.signal).catch((error: unknown) => failVisibly(options, response, error));
  });
  const url = await listen(server, options.host, options.port);
  return { url, close: () => closeServer(server, underWay, timeouts.closeGraceMs) };
};

const route = async (
  { routes, newRequestId = randomUUID, onError, onCall }: FrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> => {
  const name = serviceOf(request);
  if (name === undefined) await routes.gateway(request, response);
  else
    await answerAwsCall({ request, response, signal, service: heardBy(onCall, routes[name]), newRequestId, onError });
};

const heardBy = (onCall: FrontOptions['onCall'], service: AwsService | undefined): AwsService | undefined => {
  if (!onCall || !service) return service;
  return (call) => {
    onCall(call);
    return service(call);
  };
};

const failVisibly = ({ onError }: FrontOptions, response: ServerResponse, error: unknown): void => {
  onError(error);
  if (response.headersSent) response.destroy();
  else {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: 'Internal Server Error' }));
  }
};

const MALFORMED: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** There is no request object yet to answer through: the reply is written by hand and the connection ends. */
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = MALFORMED[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ message: status.slice(4) });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
};

/** Long polls are told at once; other answers get the grace time; then connections are cut. */
const closeServer = async (
  server: Server,
  underWay: ReadonlyMap<ServerResponse, AbortController>,
  graceMs: number,
): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const [response, gone] of underWay) {
    response.shouldKeepAlive = false;
    gone.abort();
  }
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
};
