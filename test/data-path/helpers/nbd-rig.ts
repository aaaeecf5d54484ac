import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { type Certificate, createCertificate } from '../../../host-agent/nbd/certificate.ts';
import { connectNbd } from '../../../host-agent/nbd/client.ts';
import { createNbdServer, type NbdServer } from '../../../host-agent/nbd/server.ts';

/** A real server on loopback with one open export, and clients that are admitted to it by their certificate. */
const NOW_MS = Date.UTC(2026, 0, 1);

export const SERVER: Certificate = await createCertificate('server', NOW_MS);
export const CLIENT: Certificate = await createCertificate('client', NOW_MS);
export const STRANGER: Certificate = await createCertificate('stranger', NOW_MS);

export const EXPORT = 'm.1.1';

export interface NbdRig {
  readonly server: NbdServer;
  readonly port: number;
  /** Names that were asked for, with the fingerprint of who asked. */
  readonly asked: { name: string; peer: string | undefined }[];
  readonly client: (change?: Partial<ClientOptions>) => Promise<BlockDevice>;
  readonly socket: () => Socket;
}

interface ClientOptions {
  readonly certificate: Certificate;
  readonly peerFingerprint: string;
  readonly exportName: string;
  readonly signal: AbortSignal;
}

export const nbdRig = async (device: BlockDevice, { readOnly = false } = {}): Promise<NbdRig> => {
  const asked: NbdRig['asked'] = [];
  const server = await createNbdServer({
    host: '127.0.0.1',
    port: 0,
    tls: SERVER,
    resolveExport: async (name, peer) => {
      asked.push({ name, peer });
      if (peer !== CLIENT.fingerprint) return { refused: 'the certificate is not the one that was admitted' };
      return name === EXPORT ? { device, readOnly } : { refused: 'no such export is open' };
    },
  });
  onTestFinished(() => server.close());
  const port = Number(server.address.split(':')[1]);
  return {
    server,
    port,
    asked,
    async client({ certificate = CLIENT, peerFingerprint = SERVER.fingerprint, exportName = EXPORT, signal } = {}) {
      const connected = await connectNbd({
        host: '127.0.0.1',
        port,
        exportName,
        tls: { keyPem: certificate.keyPem, certPem: certificate.certPem, peerFingerprint },
        signal: signal ?? new AbortController().signal,
      });
      onTestFinished(() => connected.close());
      return connected;
    },
    socket() {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      onTestFinished(() => {
        socket.destroy();
      });
      return socket;
    },
  };
};
