import type { Socket } from 'node:net';
import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import {
  decodeOption,
  encodeOptionReply,
  HANDSHAKE,
  INIT_MAGIC,
  MAX_OPTION_BYTES,
  OPTION,
  OPTION_HEAD_BYTES,
  OPTION_MAGIC,
  REPLY,
} from './protocol.ts';
import { createReader, type Reader } from './reader.ts';
import { answerOption } from './server-options.ts';
import { type Identity, secureAsServer } from './tls.ts';

/** The server's half of the negotiation. With TLS nothing but STARTTLS is answered before it, and nobody is let in without it. */

/**
 * All connections of one name get the same device, or devices on the same file: what one connection flushes must cover what was
 * answered on the others, as the server promises it (CAN_MULTI_CONN).
 */
export type Resolution =
  | { readonly device: BlockDevice; readonly readOnly: boolean }
  | { readonly refused: string; readonly because?: 'ExportNotOpen' | 'ExportSealed' | 'PeerRefused' };

/** `peerFingerprint` is undefined on a server without TLS only. */
export type ResolveExport = (name: string, peerFingerprint: string | undefined) => Promise<Resolution>;

/** A connection that has come through: to which export, and what is behind it. */
export interface Opened {
  readonly socket: Socket;
  readonly reader: Reader;
  readonly exportName: string;
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  /** Structured replies were agreed on. */
  readonly structured: boolean;
  /** The client has chosen base:allocation for this export. */
  readonly mapped: boolean;
}

export interface Connection {
  socket: Socket;
  reader: Reader;
  secure: boolean;
  peerFingerprint: string | undefined;
  /** Both sides have agreed on NO_ZEROES. */
  noZeroes: boolean;
  structured: boolean;
  /** The export for which the client has chosen base:allocation. */
  mappedExport: string | undefined;
  /** Undefined: the server has no TLS. */
  readonly tls: Identity | undefined;
  readonly resolveExport: ResolveExport;
}

const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES, 16);
  return bytes;
};

const notNbd = (what: string): DataPathError => new DataPathError('ProtocolError', `the client sent ${what}`);

const greet = async (connection: Connection): Promise<void> => {
  connection.socket.write(greeting());
  const flags = (await connection.reader.take(4)).readUInt32BE(0);
  const known = HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES;
  // the protocol: a server must end the connection when it does not know a flag
  if ((flags & ~known) !== 0 || (flags & HANDSHAKE.FIXED_NEWSTYLE) === 0) throw notNbd(`the flags ${flags}`);
  connection.noZeroes = (flags & HANDSHAKE.NO_ZEROES) !== 0;
};

const startTls = async (connection: Connection, tls: Identity): Promise<void> => {
  connection.reader.detach();
  const { socket, peerFingerprint } = await secureAsServer(connection.socket, tls);
  connection.socket = socket;
  if (peerFingerprint === undefined) throw new DataPathError('PeerRefused', 'the client showed no certificate');
  connection.reader = createReader(socket);
  connection.secure = true;
  connection.peerFingerprint = peerFingerprint;
};

/** Undefined when the client left in an orderly way; rejects when it left without a word, or sent what is no NBD. */
export const negotiate = async (
  socket: Socket,
  tls: Identity | undefined,
  resolveExport: ResolveExport,
): Promise<Opened | undefined> => {
  const connection: Connection = {
    socket,
    reader: createReader(socket),
    secure: false,
    peerFingerprint: undefined,
    noZeroes: false,
    structured: false,
    mappedExport: undefined,
    tls,
    resolveExport,
  };
  await greet(connection);
  for (;;) {
    const head = decodeOption(await connection.reader.take(OPTION_HEAD_BYTES));
    if (!head || head.lengthBytes > MAX_OPTION_BYTES) throw notNbd('what is no option');
    const data = await connection.reader.take(head.lengthBytes);
    if (head.option === OPTION.STARTTLS && tls && !connection.secure && data.length === 0) {
      connection.socket.write(encodeOptionReply(OPTION.STARTTLS, REPLY.ACK));
      await startTls(connection, tls);
      continue;
    }
    const outcome = await answerOption(connection, head.option, data);
    if (outcome === 'left') {
      connection.socket.destroySoon();
      return undefined;
    }
    if (outcome !== 'more') return outcome;
  }
};
