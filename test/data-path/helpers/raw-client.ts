import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { encodeOption, encodeRequest, OPTION, type Request } from '../../../host-agent/nbd/protocol.ts';
import { createReader, type Reader } from '../../../host-agent/nbd/reader.ts';
import { createNbdServer, type NbdServer, type NbdServerOptions } from '../../../host-agent/nbd/server.ts';

/** A server without TLS, so that every byte on the wire is the test's own. */
export const plainServer = async (device: BlockDevice, options: Partial<NbdServerOptions> = {}): Promise<NbdServer> => {
  const server = await createNbdServer({
    host: '127.0.0.1',
    port: 0,
    resolveExport: async (name) => (name === 'there' ? { device, readOnly: false } : { refused: 'not there' }),
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
};

export const portOf = ({ address }: NbdServer): number => Number(address.split(':')[1]);

/** A client that says what it likes. */
export interface RawClient {
  readonly socket: Socket;
  readonly reader: Reader;
  /** Sends an option and reads one reply: its kind and its data. */
  option(option: number, data?: Buffer): Promise<{ readonly kind: number; readonly data: Buffer }>;
  request(request: Partial<Request>, payload?: Buffer): void;
  /** Reads the head of a simple reply. */
  answer(): Promise<{ readonly error: number; readonly cookie: bigint }>;
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>;
}

/** Greets with the flags of fixed newstyle and NO_ZEROES unless told otherwise. */
export const rawClient = async (port: number, flags = 3): Promise<RawClient> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => socket.destroy());
  onTestFinished(() => {
    socket.destroy();
  });
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  const reader = createReader(socket);
  await reader.take(18);
  const hello = Buffer.alloc(4);
  hello.writeUInt32BE(flags);
  socket.write(hello);
  return {
    socket,
    reader,
    async option(option, data = Buffer.alloc(0)) {
      socket.write(encodeOption(option, data));
      const head = await reader.take(20);
      return { kind: head.readUInt32BE(12), data: await reader.take(head.readUInt32BE(16)) };
    },
    request(request, payload) {
      socket.write(encodeRequest({ flags: 0, command: 0, cookie: 0n, offset: 0, lengthBytes: 0, ...request }));
      if (payload) socket.write(payload);
    },
    async answer() {
      const head = await reader.take(16);
      return { error: head.readUInt32BE(4), cookie: head.readBigUInt64BE(8) };
    },
    ended,
  };
};

/** Comes as far as requests, by EXPORT_NAME. */
export const insideOf = async (server: NbdServer): Promise<RawClient> => {
  const raw = await rawClient(portOf(server));
  raw.socket.write(encodeOption(OPTION.EXPORT_NAME, Buffer.from('there')));
  await raw.reader.take(10);
  return raw;
};
