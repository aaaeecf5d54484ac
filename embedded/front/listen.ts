import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Opens the one port, or says in words what is wrong with it and what to do. */

const REASONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} on ${host} is taken by another process. Stop that process, or choose another port (0 takes a free one).`,
  EACCES: (host, port) =>
    `Port ${port} on ${host} may not be opened by this user. Choose a port above 1023, or give the process the right.`,
  EADDRNOTAVAIL: (host) => `${host} is not an address of this machine. Listen on 127.0.0.1, or on an address it has.`,
  ENOTFOUND: (host) => `The name ${host} is not known. Listen on 127.0.0.1, or on an address of this machine.`,
};

/** Resolves with the base URL that a client on this machine can use. */
export const listen = async (server: Server, host: string, port: number): Promise<string> => {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const reason = REASONS[code]?.(host, port) ?? `Port ${port} on ${host} could not be opened (${String(cause)}).`;
    throw new Error(reason, { cause });
  }
  return baseUrl(server.address() as AddressInfo);
};

const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '127.0.0.1' };

const baseUrl = ({ address, family, port }: AddressInfo): string => {
  const reachable = ANY_ADDRESS[address] ?? address;
  return family === 'IPv6' && reachable.includes(':') ? `http://[${reachable}]:${port}` : `http://${reachable}:${port}`;
};
