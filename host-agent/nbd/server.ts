import { createServer, type Socket } from 'node:net';
import { DataPathError } from '../device/errors.ts';
import { createLiveExports, type LiveExport } from './live-exports.ts';
import { createPayloads } from './payloads.ts';
import { negotiate, type ResolveExport } from './server-handshake.ts';
import { type OnProblem, type Serving, serve } from './session.ts';
import type { Identity } from './tls.ts';

/** An agent's exports over NBD with mutual TLS. An export that was ended takes no request any more, whoever holds a connection. */
export interface NbdServer {
  /** The address that was bound, `host:port`. */
  readonly address: string;
  /** Seals it: refuses its requests and connections from now on, ends those there are, resolves when its I/O in flight has ended. */
  endExport(name: string): Promise<void>;
  /** Ends every connection; their clients may come back. */
  dropConnections(): void;
  /** Ends every connection. Does not wait for I/O in flight: endExport does. */
  close(): Promise<void>;
}

export interface NbdServerOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS, for loopback and for tests. With it, every client must show a certificate. */
  readonly tls?: Identity | undefined;
  readonly resolveExport: ResolveExport;
  /** Hears of failed I/O, of which a client is told a number only. */
  readonly onProblem?: OnProblem;
  /** A client that does not come to the point in this time is let go. */
  readonly negotiationMs?: number;
}

const NEGOTIATION_MS = 15_000;
/** Two for each copy would do; more is somebody who plays. */
const MAX_CONNECTIONS = 256;
/** A client that is gone without a word is noticed, though nothing is being sent. */
const KEEP_ALIVE_MS = 15_000;

const connectionOf = async (serving: Serving, socket: Socket, options: NbdServerOptions): Promise<void> => {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const deadline = setTimeout(() => socket.destroy(), options.negotiationMs ?? NEGOTIATION_MS);
  const entered = new Map<string, LiveExport>();
  try {
    const opened = await negotiate(socket, options.tls, async (name, peerFingerprint) => {
      const live = entered.get(name) ?? serving.exports.enter(name);
      entered.set(name, live);
      return live.ended
        ? { refused: 'the export is sealed', because: 'ExportSealed' }
        : options.resolveExport(name, peerFingerprint);
    });
    clearTimeout(deadline);
    const live = opened && entered.get(opened.exportName);
    if (live) await serve({ ...opened, live }, serving);
  } finally {
    clearTimeout(deadline);
    for (const live of entered.values()) serving.exports.leave(live);
  }
};

export const createNbdServer = async (options: NbdServerOptions): Promise<NbdServer> => {
  const exports = createLiveExports();
  const serving = { exports, payloads: createPayloads(), onProblem: options.onProblem ?? (() => undefined) };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    connectionOf(serving, socket, options).catch((error: unknown) => {
      socket.destroy();
      // a client's mistake or departure ends its own connection and nothing else
      if (!(error instanceof DataPathError)) options.onProblem?.('a connection', error);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('the server has no port');
  const dropConnections = (): void => {
    for (const socket of open) socket.destroy();
  };

  return {
    address: `${options.host}:${bound.port}`,
    endExport: (name) => exports.end(name),
    dropConnections,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      dropConnections();
      await closed;
    },
  };
};
