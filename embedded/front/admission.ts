import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { AwsError } from './aws-wire.ts';

/**
 * Who may call the AWS-shaped endpoints. They check no signature, so everything rests on this: the caller is a process of this
 * machine, and not a browser that a web page drives, nor a proxy that speaks for somebody elsewhere.
 */

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** IPv4 callers of a dual-stack socket appear as `::ffff:127.0.0.1`. */
export const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

const isLoopback = (address: string | undefined): boolean => {
  const plain = plainAddress(address);
  const version = isIP(plain);
  return version !== 0 && loopback.check(plain, version === 6 ? 'ipv6' : 'ipv4');
};

const AWS4 = /^AWS4-[A-Z0-9-]+ .*Credential=[^,\s]+/;
/** Not sec-fetch-mode: Node's own fetch sends it too. */
const BROWSER_HEADERS = ['origin', 'sec-fetch-site'];
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'via'];

/** The reason to refuse, or undefined when the request may pass. */
export const refusal = (request: Pick<IncomingMessage, 'headers' | 'socket'>): AwsError | undefined => {
  const carries = (names: readonly string[]) => names.find((name) => request.headers[name] !== undefined);
  const denied = (why: string) => new AwsError('AccessDeniedException', why, { status: 403 });
  if (!isLoopback(request.socket.remoteAddress)) {
    return denied(
      'The cloud endpoints of volmove answer only to processes on its own machine. Use the HTTP API instead.',
    );
  }
  const proxied = carries(PROXY_HEADERS);
  if (proxied)
    return denied(`The cloud endpoints are not to be reached through a proxy (header ${proxied}). Call them directly.`);
  const browser = carries(BROWSER_HEADERS);
  if (browser)
    return denied(`The cloud endpoints are not for web pages (header ${browser}). Use the HTTP API instead.`);
  if (!AWS4.test(request.headers.authorization ?? '')) {
    return new AwsError(
      'MissingAuthenticationTokenException',
      'The request has no AWS4 Authorization header. Call with an AWS client; any credentials will do.',
      { status: 403 },
    );
  }
  return undefined;
};
