import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { ApiRequest, LinkBase } from './exchange.ts';

/** Links point back to where the client came from. */

const HOST = /^[A-Za-z0-9.\-_[\]:]{1,255}$/;

export const originOf = (event: APIGatewayProxyEventV2): string => {
  const scheme = event.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const { host = '' } = event.headers;
  return `${scheme}://${HOST.test(host) ? host : event.requestContext.domainName}`;
};

export const hrefOf = ({ origin, prefix }: LinkBase, path: string): string => `${origin}${prefix}${path}`;

/** The same request with another marker. */
export const nextHref = (request: ApiRequest, marker: string): string => {
  const query = new URLSearchParams(request.query);
  query.set('marker', marker);
  query.delete('offset');
  return `${hrefOf(request.links, request.path)}?${query.toString()}`;
};
