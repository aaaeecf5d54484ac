import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { connect, TLSSocket } from 'node:tls';
import { DataPathError } from '../device/errors.ts';
import { fingerprintOf } from './certificate.ts';

/**
 * Mutual TLS 1.3 over a socket that is open already. Certificates are their owners' own; a peer is known by the fingerprint of
 * its certificate and by nothing else, so no authority is asked (the handshake still proves that the peer has the key).
 */
export interface Identity {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface Secured {
  readonly socket: Socket;
  /** SHA-256 of the peer's certificate, lower-case hex; undefined when it showed none. */
  readonly peerFingerprint: string | undefined;
}

/**
 * What is written while a write is under way would go out together, and Node copies parts that go together into a new buffer of
 * their size before it encrypts them: for a megabyte that costs more than the encryption. One by one they are read where they are.
 */
const writesPartByPart = (socket: Writable): void => {
  Object.defineProperty(socket, '_writev', { value: undefined });
};

const secured = async (socket: TLSSocket, event: 'secure' | 'secureConnect'): Promise<Secured> => {
  await new Promise<void>((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', (cause) =>
      reject(new DataPathError('ConnectionLost', `the TLS handshake failed: ${cause.message}`, { cause })),
    );
    socket.once('close', () =>
      reject(new DataPathError('ConnectionLost', 'the other side left during the TLS handshake')),
    );
  });
  // later errors reach whoever waits through the reader; a socket without a listener would end the process
  socket.on('error', () => socket.destroy());
  writesPartByPart(socket);
  const { fingerprint256 } = socket.getPeerCertificate();
  return { socket, peerFingerprint: fingerprint256 === undefined ? undefined : fingerprintOf(fingerprint256) };
};

/** The hardware encrypts all of them but the last; the shorter key is the quicker by a tenth. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const COMMON = { rejectUnauthorized: false, minVersion: 'TLSv1.3', ciphers: CIPHERS, honorCipherOrder: true } as const;

export const secureAsServer = (socket: Socket, { keyPem, certPem }: Identity): Promise<Secured> =>
  secured(
    new TLSSocket(socket, { ...COMMON, isServer: true, requestCert: true, key: keyPem, cert: certPem }),
    'secure',
  );

export const secureAsClient = (socket: Socket, { keyPem, certPem }: Identity): Promise<Secured> =>
  secured(
    connect({ ...COMMON, socket, key: keyPem, cert: certPem, checkServerIdentity: () => undefined }),
    'secureConnect',
  );
