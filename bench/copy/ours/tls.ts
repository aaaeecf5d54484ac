import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintOf } from '../../../host-agent/nbd/certificate.ts';
import type { ClientTls } from '../../../host-agent/nbd/client-handshake.ts';

/** One side's identity out of a directory with the file names that NBD tools use, and the other side's fingerprint. */
export const tlsOf = (directory: string, side: 'client' | 'server'): ClientTls => {
  const pem = (name: string): string => readFileSync(join(directory, `${name}.pem`), 'utf8');
  const peer = side === 'client' ? 'server' : 'client';
  const peerFingerprint = fingerprintOf(new X509Certificate(pem(`${peer}-cert`)).fingerprint256);
  return { keyPem: pem(`${side}-key`), certPem: pem(`${side}-cert`), peerFingerprint };
};
