import type { IncomingMessage, ServerResponse } from 'node:http';

/** People and their clients may ask before everything is there that answers them: they are told to come again. */
export type HttpRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const BODY = JSON.stringify({
  serviceUnavailable: { code: 503, message: 'volmove is starting. Ask again in a moment.' },
});

export const untilReady =
  (isReady: () => boolean, route: HttpRoute): HttpRoute =>
  async (request, response) => {
    if (isReady()) return route(request, response);
    request.resume();
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
    response.end(BODY);
  };
