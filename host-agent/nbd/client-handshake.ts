import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DataPathError } from '../device/errors.ts';
import { fingerprintOf } from './certificate.ts';
import {
  encodeOption,
  HANDSHAKE,
  INFO,
  INIT_MAGIC,
  MAX_OPTION_BYTES,
  OPTION,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  REPLY,
} from './protocol.ts';
import { createReader, type Reader } from './reader.ts';

/** The client's half of the negotiation: TLS first, the peer's certificate pinned, then the export by name. */

export interface ClientTls {
  readonly keyPem: string;
  readonly certPem: string;
  /** SHA-256 fingerprint of the only certificate that is trusted, lower-case hex. */
  readonly peerFingerprint: string;
}

export interface Entered {
  readonly socket: Socket;
  readonly reader: Reader;
  readonly sizeBytes: number;
}

interface OptionReply {
  readonly kind: number;
  readonly data: Buffer;
}

const notNbd = (): DataPathError => new DataPathError('ProtocolError', 'the other side does not speak NBD');

const readReply = async (reader: Reader, option: number): Promise<OptionReply> => {
  const head = await reader.take(20);
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

const secure = async (socket: Socket, reader: Reader, tls: ClientTls): Promise<Socket> => {
  socket.write(encodeOption(OPTION.STARTTLS, Buffer.alloc(0)));
  const answer = await readReply(reader, OPTION.STARTTLS);
  if (answer.kind !== REPLY.ACK) throw new DataPathError('PeerRefused', 'the other side has no TLS');
  reader.detach();
  const wrapped = connectTls({
    socket,
    key: tls.keyPem,
    cert: tls.certPem,
    minVersion: 'TLSv1.3',
    // authenticity is the pinned fingerprint below, checked before a byte is sent
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    wrapped.once('secureConnect', resolve);
    wrapped.once('error', (error) =>
      reject(new DataPathError('ConnectionLost', `the TLS handshake failed: ${error.message}`, { cause: error })),
    );
    wrapped.once('close', () =>
      reject(new DataPathError('ConnectionLost', 'the other side left during the TLS handshake')),
    );
  });
  const found = fingerprintOf(wrapped.getPeerCertificate().fingerprint256 ?? '');
  if (found !== tls.peerFingerprint) {
    wrapped.destroy();
    throw new DataPathError(
      'PeerCertificateMismatch',
      `the other side's certificate is ${found || 'missing'}, not ${tls.peerFingerprint}`,
    );
  }
  wrapped.on('error', () => wrapped.destroy());
  return wrapped;
};

const go = async (socket: Socket, reader: Reader, exportName: string): Promise<number> => {
  const name = Buffer.from(exportName);
  const data = Buffer.alloc(4 + name.length + 2);
  data.writeUInt32BE(name.length, 0);
  name.copy(data, 4);
  socket.write(encodeOption(OPTION.GO, data));
  let sizeBytes: number | undefined;
  for (;;) {
    const { kind, data: body } = await readReply(reader, OPTION.GO);
    if (kind === REPLY.INFO && body.length >= 12 && body.readUInt16BE(0) === INFO.EXPORT)
      sizeBytes = Number(body.readBigUInt64BE(2));
    if (kind === REPLY.ACK) {
      if (sizeBytes === undefined) throw notNbd();
      return sizeBytes;
    }
    if (kind >= REPLY.ERR_UNSUP)
      throw new DataPathError('PeerRefused', `export ${exportName}: ${body.toString('utf8') || `error ${kind}`}`);
  }
};

export const enter = async (raw: Socket, exportName: string, tls: ClientTls): Promise<Entered> => {
  const plain = createReader(raw);
  await greet(raw, plain);
  const socket = await secure(raw, plain, tls);
  const reader = createReader(socket);
  return { socket, reader, sizeBytes: await go(socket, reader, exportName) };
};
