import type { Socket } from 'node:net';
import { type DataPathCode, DataPathError } from '../device/errors.ts';
import { decodeInfo, encodeGo } from './export-info.ts';
import { ALLOCATION, decodeContext, encodeMetaQuery } from './meta-context.ts';
import {
  encodeOption,
  FIRST_REPLY_ERROR,
  HANDSHAKE,
  INIT_MAGIC,
  MAX_OPTION_BYTES,
  MAX_REQUEST_BYTES,
  OPTION,
  OPTION_MAGIC,
  OPTION_REPLY_HEAD_BYTES,
  OPTION_REPLY_MAGIC,
  REPLY,
} from './protocol.ts';
import { createReader, type Reader } from './reader.ts';
import { type Identity, secureAsClient } from './tls.ts';

/** The client's half of the negotiation: TLS first, the peer's certificate pinned, then the export by name. */

export interface ClientTls extends Identity {
  /** SHA-256 fingerprint of the only certificate that is trusted, lower-case hex. */
  readonly peerFingerprint: string;
}

export interface Entered {
  readonly socket: Socket;
  readonly reader: Reader;
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** Of READ and WRITE. */
  readonly maxRequestBytes: number;
  /** What offsets and lengths should be multiples of. */
  readonly minimumBytes: number;
  /** TRANSMISSION flags. */
  readonly flags: number;
  /** Structured replies were agreed on. */
  readonly structured: boolean;
  /** The server's number for base:allocation, if it has that. */
  readonly contextId: number | undefined;
}

export interface Wanted {
  readonly exportName: string;
  readonly tls: ClientTls | undefined;
  /** Extents are asked for, which is what structured replies are needed for. */
  readonly mapped: boolean;
}

interface OptionReply {
  readonly kind: number;
  readonly data: Buffer;
}

/** Largest minimum that a server may have (proto.md, size constraints). */
const MAX_MINIMUM_BYTES = 65_536;

const notNbd = (): DataPathError => new DataPathError('ProtocolError', 'the other side does not speak NBD');

const readReply = async (reader: Reader, option: number): Promise<OptionReply> => {
  const head = await reader.take(OPTION_REPLY_HEAD_BYTES);
  const length = head.readUInt32BE(16);
  if (head.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || head.readUInt32BE(8) !== option || length > MAX_OPTION_BYTES)
    throw notNbd();
  return { kind: head.readUInt32BE(12), data: await reader.take(length) };
};

const greet = async (socket: Socket, reader: Reader): Promise<void> => {
  const hello = await reader.take(18);
  if (hello.readBigUInt64BE(0) !== INIT_MAGIC || hello.readBigUInt64BE(8) !== OPTION_MAGIC) throw notNbd();
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(HANDSHAKE.FIXED_NEWSTYLE | (hello.readUInt16BE(16) & HANDSHAKE.NO_ZEROES));
  socket.write(flags);
};

/** Nothing but the request for TLS is sent before the peer has proved who it is. */
const secure = async (raw: Socket, reader: Reader, tls: ClientTls): Promise<Socket> => {
  raw.write(encodeOption(OPTION.STARTTLS, Buffer.alloc(0)));
  const answer = await readReply(reader, OPTION.STARTTLS);
  if (answer.kind !== REPLY.ACK) throw new DataPathError('PeerRefused', 'the other side has no TLS');
  reader.detach();
  const { socket, peerFingerprint } = await secureAsClient(raw, tls);
  if (peerFingerprint !== tls.peerFingerprint) {
    throw new DataPathError(
      'PeerCertificateMismatch',
      `the other side's certificate is ${peerFingerprint ?? 'missing'}, not ${tls.peerFingerprint}`,
    );
  }
  return socket;
};

const refusal = (kind: number, exportName: string, text: string): DataPathError => {
  const codes: Readonly<Record<number, DataPathCode>> = {
    [REPLY.ERR_UNKNOWN]: 'ExportNotOpen',
    [REPLY.ERR_SHUTDOWN]: 'ExportSealed',
  };
  return new DataPathError(codes[kind] ?? 'PeerRefused', `export ${exportName}: ${text || `refused with ${kind}`}`);
};

type Opened = Omit<Entered, 'socket' | 'reader' | keyof Agreed>;
type Agreed = Pick<Entered, 'structured' | 'contextId'>;

/** A server without the one or the other is served as it is: what cannot be told is data. */
const agree = async (socket: Socket, reader: Reader, { exportName, mapped }: Wanted): Promise<Agreed> => {
  if (!mapped) return { structured: false, contextId: undefined };
  socket.write(encodeOption(OPTION.STRUCTURED_REPLY, Buffer.alloc(0)));
  const structured = (await readReply(reader, OPTION.STRUCTURED_REPLY)).kind === REPLY.ACK;
  if (!structured) return { structured, contextId: undefined };
  socket.write(encodeOption(OPTION.SET_META_CONTEXT, encodeMetaQuery({ exportName, queries: [ALLOCATION] })));
  let contextId: number | undefined;
  for (;;) {
    const { kind, data } = await readReply(reader, OPTION.SET_META_CONTEXT);
    if (kind === REPLY.ACK) return { structured, contextId };
    if (kind >= FIRST_REPLY_ERROR) return { structured, contextId: undefined };
    const context = kind === REPLY.META_CONTEXT ? decodeContext(data) : undefined;
    if (context?.name !== ALLOCATION || contextId !== undefined) throw notNbd();
    contextId = context.id;
  }
};

const isMinimum = (bytes: number): boolean => bytes > 0 && bytes <= MAX_MINIMUM_BYTES && (bytes & (bytes - 1)) === 0;

const go = async (socket: Socket, reader: Reader, exportName: string): Promise<Opened> => {
  socket.write(encodeOption(OPTION.GO, encodeGo(exportName)));
  let opened: Opened | undefined;
  let limits = { minimumBytes: 1, blockSizeBytes: 4096, maxRequestBytes: MAX_REQUEST_BYTES };
  for (;;) {
    const { kind, data } = await readReply(reader, OPTION.GO);
    if (kind >= FIRST_REPLY_ERROR) throw refusal(kind, exportName, data.toString('utf8'));
    if (kind === REPLY.ACK) {
      if (!opened || !Number.isSafeInteger(opened.sizeBytes)) throw notNbd();
      return { ...opened, ...limits };
    }
    const info = kind === REPLY.INFO ? decodeInfo(data) : undefined;
    if (info && 'sizeBytes' in info) opened = { ...limits, sizeBytes: Number(info.sizeBytes), flags: info.flags };
    else if (info) {
      if (!isMinimum(info.minimumBytes)) throw notNbd();
      limits = {
        minimumBytes: info.minimumBytes,
        blockSizeBytes: info.preferredBytes,
        maxRequestBytes: Math.max(1, Math.min(MAX_REQUEST_BYTES, info.maxPayloadBytes)),
      };
    }
  }
};

/** Whatever else answers there has no certificate of the peer's to show. */
const isStranger = (error: unknown): error is DataPathError =>
  error instanceof DataPathError && (error.code === 'ProtocolError' || error.code === 'PeerRefused');

const greetSecurely = async (raw: Socket, plain: Reader, tls: ClientTls): Promise<Socket> => {
  try {
    await greet(raw, plain);
    return await secure(raw, plain, tls);
  } catch (error) {
    throw isStranger(error) ? new DataPathError('PeerCertificateMismatch', error.message, { cause: error }) : error;
  }
};

export const enter = async (raw: Socket, wanted: Wanted): Promise<Entered> => {
  const plain = createReader(raw);
  if (!wanted.tls) await greet(raw, plain);
  const socket = wanted.tls ? await greetSecurely(raw, plain, wanted.tls) : raw;
  const reader = wanted.tls ? createReader(socket) : plain;
  const agreed = await agree(socket, reader, wanted);
  return { socket, reader, ...agreed, ...(await go(socket, reader, wanted.exportName)) };
};
