import { createServer, type Socket } from 'node:net';
import { DataPathError } from '../device/errors.ts';
import { createLiveExports, type LiveExport, type LiveExports } from './live-exports.ts';
import { createPayloads, type Payloads } from './payloads.ts';
import {
  COMMAND,
  decodeRequest,
  ERROR,
  encodeReply,
  FLAG,
  MAX_REQUEST_BYTES,
  REQUEST_BYTES,
  type Request,
} from './protocol.ts';
import { negotiate, type ResolveExport, type ServerTls, type Session } from './server-handshake.ts';

/** An agent's exports over NBD with mutual TLS. An export that was ended takes no request any more, whoever holds a connection. */
export interface NbdServer {
  /** The address that was bound, `host:port`. */
  readonly address: string;
  /** Refuses new requests of the export, ends its connections, and resolves when its I/O in flight has ended. */
  endExport(name: string): Promise<void>;
  /** Ends every connection; their clients may come back. */
  dropConnections(): void;
  close(): Promise<void>;
}

export interface NbdServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  readonly resolveExport: ResolveExport;
}

/** Requests of one connection that are served at once; the next is not read before one of them is answered. */
const WINDOW = 16;
/** A client that does not come to the point is let go. */
const NEGOTIATION_MS = 15_000;

interface Serving {
  readonly exports: LiveExports;
  readonly payloads: Payloads;
}

const NOTHING = Buffer.alloc(0);

const errorOf = (error: unknown): number => {
  if (!(error instanceof DataPathError)) return ERROR.EIO;
  if (error.code === 'NoSpace') return ERROR.ENOSPC;
  return error.code === 'OutOfRange' ? ERROR.EINVAL : ERROR.EIO;
};

const act = async ({ device, readOnly }: Session, request: Request, payload: Buffer): Promise<Buffer | number> => {
  const { command, offset, lengthBytes, flags } = request;
  if (command === COMMAND.FLUSH) {
    await device.flush();
    return ERROR.OK;
  }
  if (offset + lengthBytes > device.sizeBytes) return command === COMMAND.READ ? ERROR.EINVAL : ERROR.ENOSPC;
  if (command === COMMAND.READ) {
    const target = Buffer.allocUnsafe(lengthBytes);
    await device.read(offset, target);
    return target;
  }
  if (readOnly) return ERROR.EPERM;
  if (command === COMMAND.WRITE) await device.write(offset, payload);
  else await device.writeZeroes(offset, lengthBytes);
  if (flags & FLAG.FUA) await device.flush();
  return ERROR.OK;
};

const answer = async (live: LiveExport, session: Session, request: Request, payload: Buffer): Promise<void> => {
  let result: Buffer | number;
  try {
    result = live.ended ? ERROR.ESHUTDOWN : await act(session, request, payload);
  } catch (error) {
    result = errorOf(error);
  }
  if (session.socket.destroyed) return;
  session.socket.write(encodeReply(typeof result === 'number' ? result : ERROR.OK, request.cookie));
  if (typeof result !== 'number') session.socket.write(result);
};

const KNOWN: readonly number[] = [COMMAND.READ, COMMAND.WRITE, COMMAND.FLUSH, COMMAND.WRITE_ZEROES];

const serve = async ({ exports, payloads }: Serving, live: LiveExport, session: Session): Promise<void> => {
  const mine = new Set<Promise<void>>();
  for (;;) {
    const request = decodeRequest(await session.reader.take(REQUEST_BYTES));
    if (!request || request.command === COMMAND.DISC) return;
    const carries = request.command === COMMAND.WRITE;
    if (carries && request.lengthBytes > MAX_REQUEST_BYTES) return;
    while (mine.size >= WINDOW) await Promise.race(mine);
    const payload = carries ? payloads.take(request.lengthBytes) : NOTHING;
    await session.reader.fill(payload);
    if (
      !KNOWN.includes(request.command) ||
      (request.command === COMMAND.READ && request.lengthBytes > MAX_REQUEST_BYTES)
    ) {
      session.socket.write(encodeReply(ERROR.EINVAL, request.cookie));
      continue;
    }
    const task = answer(live, session, request, payload).finally(() => {
      if (carries) payloads.giveBack(payload);
      mine.delete(task);
    });
    mine.add(task);
    exports.track(live, task);
  }
};

const connectionOf = async (serving: Serving, socket: Socket, options: NbdServerOptions): Promise<void> => {
  socket.setNoDelay(true);
  const deadline = setTimeout(() => socket.destroy(), NEGOTIATION_MS);
  const entered = new Map<string, LiveExport>();
  let session: Session | undefined;
  try {
    session = await negotiate(socket, options.tls, async (name, peer) => {
      if (!entered.has(name)) entered.set(name, serving.exports.enter(name));
      return options.resolveExport(name, peer);
    });
    clearTimeout(deadline);
    const live = session && entered.get(session.exportName);
    if (!session || !live) return;
    const mine = session.socket;
    live.sockets.add(mine);
    await serve(serving, live, session).finally(() => live.sockets.delete(mine));
  } finally {
    clearTimeout(deadline);
    session?.socket.destroy();
    socket.destroy();
    for (const one of entered.values()) serving.exports.leave(one);
  }
};

export const createNbdServer = async (options: NbdServerOptions): Promise<NbdServer> => {
  const serving: Serving = { exports: createLiveExports(), payloads: createPayloads() };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    // a client's mistake or departure ends its own connection and nothing else
    connectionOf(serving, socket, options).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('the server has no port');

  return {
    address: `${options.host}:${bound.port}`,
    endExport: (name) => serving.exports.end(name),
    dropConnections() {
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
