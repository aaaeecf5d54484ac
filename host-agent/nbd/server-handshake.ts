import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { fingerprintOf } from './certificate.ts';
import {
  encodeOptionReply,
  HANDSHAKE,
  INFO,
  INIT_MAGIC,
  MAX_OPTION_BYTES,
  MAX_REQUEST_BYTES,
  OPTION,
  OPTION_MAGIC,
  REPLY,
  TRANSMISSION,
} from './protocol.ts';
import { createReader, type Reader } from './reader.ts';

/** The server's half of the negotiation. Nothing but STARTTLS is answered before TLS, and nobody is let in without it. */

export interface ServerTls {
  readonly keyPem: string;
  readonly certPem: string;
}

export type Resolution = { readonly device: BlockDevice; readonly readOnly: boolean } | { readonly refused: string };
export type ResolveExport = (name: string, peerFingerprint: string | undefined) => Promise<Resolution>;

export interface Session {
  readonly socket: Socket;
  readonly reader: Reader;
  readonly exportName: string;
  readonly device: BlockDevice;
  readonly readOnly: boolean;
}

interface Connection {
  socket: Socket;
  reader: Reader;
  secure: boolean;
  peerFingerprint: string | undefined;
}

const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES, 16);
  return bytes;
};

const startTls = async (connection: Connection, tls: ServerTls): Promise<void> => {
  const { socket } = connection;
  connection.reader.detach();
  const secure = new TLSSocket(socket, {
    isServer: true,
    key: tls.keyPem,
    cert: tls.certPem,
    requestCert: true,
    // the peer's certificate is its own; it is known by its fingerprint, which the export checks
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  await new Promise<void>((resolve, reject) => {
    secure.once('secure', () => resolve());
    secure.once('error', reject);
    secure.once('close', () =>
      reject(new DataPathError('ConnectionLost', 'the other side left during the TLS handshake')),
    );
  });
  const peer = secure.getPeerCertificate();
  connection.socket = secure;
  connection.reader = createReader(secure);
  connection.secure = true;
  connection.peerFingerprint = peer.fingerprint256 === undefined ? undefined : fingerprintOf(peer.fingerprint256);
};

const exportInfo = (device: BlockDevice, readOnly: boolean): Buffer => {
  const info = Buffer.alloc(12);
  info.writeUInt16BE(INFO.EXPORT, 0);
  info.writeBigUInt64BE(BigInt(device.sizeBytes), 2);
  const flags =
    TRANSMISSION.HAS_FLAGS | TRANSMISSION.SEND_FLUSH | TRANSMISSION.SEND_FUA | TRANSMISSION.SEND_WRITE_ZEROES;
  info.writeUInt16BE(readOnly ? flags | TRANSMISSION.READ_ONLY : flags, 10);
  return info;
};

const blockSizes = (device: BlockDevice): Buffer => {
  const info = Buffer.alloc(14);
  info.writeUInt16BE(INFO.BLOCK_SIZE, 0);
  info.writeUInt32BE(1, 2);
  info.writeUInt32BE(Math.max(512, device.blockSizeBytes), 6);
  info.writeUInt32BE(MAX_REQUEST_BYTES, 10);
  return info;
};

/** The name in a GO or INFO; undefined when the option is malformed. */
const nameIn = (data: Buffer): string | undefined => {
  if (data.length < 6) return undefined;
  const length = data.readUInt32BE(0);
  return length <= data.length - 6 ? data.toString('utf8', 4, 4 + length) : undefined;
};

/** Undefined when the client left, asked for something that ends the connection, or sent no NBD. */
export const negotiate = async (
  socket: Socket,
  tls: ServerTls,
  resolve: ResolveExport,
): Promise<Session | undefined> => {
  const connection: Connection = { socket, reader: createReader(socket), secure: false, peerFingerprint: undefined };
  connection.socket.write(greeting());
  const clientFlags = (await connection.reader.take(4)).readUInt32BE(0);
  if ((clientFlags & HANDSHAKE.FIXED_NEWSTYLE) === 0) return undefined;
  for (;;) {
    const head = await connection.reader.take(16);
    const [option, length] = [head.readUInt32BE(8), head.readUInt32BE(12)];
    if (head.readBigUInt64BE(0) !== OPTION_MAGIC || length > MAX_OPTION_BYTES) return undefined;
    const data = await connection.reader.take(length);
    const reply = (kind: number, body?: Buffer): boolean =>
      connection.socket.write(encodeOptionReply(option, kind, body));
    if (option === OPTION.ABORT) {
      reply(REPLY.ACK);
      return undefined;
    }
    if (option === OPTION.STARTTLS && !connection.secure && length === 0) {
      reply(REPLY.ACK);
      await startTls(connection, tls);
    } else if (!connection.secure) {
      if (option === OPTION.EXPORT_NAME) return undefined;
      reply(REPLY.ERR_TLS_REQD);
    } else if (option === OPTION.GO || option === OPTION.INFO) {
      const session = await openExport(connection, option, data, resolve, reply);
      if (session && option === OPTION.GO) return session;
    } else if (option === OPTION.EXPORT_NAME) return undefined;
    else reply(option === OPTION.LIST ? REPLY.ERR_POLICY : REPLY.ERR_UNSUP);
  }
};

const openExport = async (
  connection: Connection,
  option: number,
  data: Buffer,
  resolve: ResolveExport,
  reply: (kind: number, body?: Buffer) => boolean,
): Promise<Session | undefined> => {
  const exportName = nameIn(data);
  if (exportName === undefined) {
    reply(REPLY.ERR_INVALID);
    return undefined;
  }
  const resolved = await resolve(exportName, connection.peerFingerprint);
  if ('refused' in resolved) {
    reply(REPLY.ERR_UNKNOWN, Buffer.from(resolved.refused));
    return undefined;
  }
  reply(REPLY.INFO, exportInfo(resolved.device, resolved.readOnly));
  reply(REPLY.INFO, blockSizes(resolved.device));
  reply(REPLY.ACK);
  return option === OPTION.GO
    ? { socket: connection.socket, reader: connection.reader, exportName, ...resolved }
    : undefined;
};
