import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { plainAddress } from '../front/admission.ts';

/** An HTTP request as the event an HTTP API (payload format 2.0, one `$default` route) gives its function. */

export interface EventFrame {
  readonly accountId: string;
  readonly apiId: string;
  readonly requestId: string;
  readonly nowMs: number;
}

const ROUTE = '$default';

export const toEvent = (request: IncomingMessage, body: Buffer, frame: EventFrame): APIGatewayProxyEventV2 => {
  const { rawPath, rawQueryString } = splitUrl(request.url ?? '/');
  const headers = joinedHeaders(request.rawHeaders);
  const { cookie, ...otherHeaders } = headers;
  const cookies = (cookie ?? '').split(/;\s*/).filter(Boolean);
  const parameters = queryParameters(rawQueryString);
  return {
    version: '2.0',
    routeKey: ROUTE,
    rawPath,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: otherHeaders,
    ...(parameters === undefined ? {} : { queryStringParameters: parameters }),
    requestContext: requestContext(request, rawPath, headers, frame),
    ...bodyParts(body, headers['content-type']),
  };
};

/** The path is passed as it was sent: whether an escape is malformed is for the function to say. */
const splitUrl = (url: string): { rawPath: string; rawQueryString: string } => {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  const mark = path.indexOf('?');
  return mark === -1
    ? { rawPath: path || '/', rawQueryString: '' }
    : { rawPath: path.slice(0, mark) || '/', rawQueryString: path.slice(mark + 1) };
};

const joinedHeaders = (rawHeaders: readonly string[]): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`;
  }
  return { ...headers };
};

/** Decoded; of a repeated name all values, joined by commas. A malformed escape stays as it is. */
const queryParameters = (rawQueryString: string): Record<string, string> | undefined => {
  if (rawQueryString === '') return undefined;
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
};

const requestContext = (
  request: IncomingMessage,
  path: string,
  headers: Readonly<Record<string, string>>,
  { accountId, apiId, requestId, nowMs }: EventFrame,
): APIGatewayProxyEventV2['requestContext'] => {
  const domainName = (headers.host ?? 'localhost').replace(/:\d+$/, '');
  return {
    accountId,
    apiId,
    domainName,
    domainPrefix: domainName.split('.')[0] ?? domainName,
    http: {
      method: request.method ?? 'GET',
      path,
      protocol: `HTTP/${request.httpVersion}`,
      sourceIp: plainAddress(request.socket.remoteAddress),
      userAgent: headers['user-agent'] ?? '',
    },
    requestId,
    routeKey: ROUTE,
    stage: ROUTE,
    time: logTime(nowMs),
    timeEpoch: nowMs,
  };
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2026:19:03:58 +0000`, the form of web server logs. */
const logTime = (nowMs: number): string => {
  const [date = '', time = ''] = new Date(nowMs).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
};

const TEXT_TYPES = /^(?:text\/|application\/(?:json|javascript|xml)\s*(?:;|$))/i;

/** Text of these types goes as it is; everything else, and what is not UTF-8 after all, as base64. */
const bodyParts = (body: Buffer, contentType: string | undefined): { body?: string; isBase64Encoded: boolean } => {
  if (body.length === 0) return { isBase64Encoded: false };
  return TEXT_TYPES.test(contentType ?? '') && isUtf8(body)
    ? { body: body.toString('utf8'), isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true };
};
