import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import {
  encodeOptionReply,
  HANDSHAKE,
  INIT_MAGIC,
  OPTION,
  OPTION_MAGIC,
  REPLY,
} from '../../host-agent/nbd/protocol.ts';
import { CLIENT, EXPORT, SERVER } from './helpers/nbd-rig.ts';
import { thrownBy } from './helpers/thrown.ts';

/** Servers that do not keep to the protocol: the client ends with an error that says so, never with a crash or for good. */

const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE, 16);
  return bytes;
};

/** The error of a client that is told `says` and then nothing more. */
const errorAgainst = async (says: Buffer): Promise<Error> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(says);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const tls = { keyPem: CLIENT.keyPem, certPem: CLIENT.certPem, peerFingerprint: SERVER.fingerprint };
  return thrownBy(
    connectNbd({ host: '127.0.0.1', port, exportName: EXPORT, tls, signal: new AbortController().signal }),
  );
};

describe('a server', () => {
  it('that speaks something else is told apart from one that is away', async () => {
    const http = Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');

    expect((await errorAgainst(http)).name).toBe('PeerCertificateMismatch');
    expect((await errorAgainst(Buffer.alloc(0))).name).toBe('ConnectionLost');
  });

  it('without TLS is refused', async () => {
    const says = Buffer.concat([greeting(), encodeOptionReply(OPTION.STARTTLS, REPLY.ERR_UNSUP)]);

    const error = await errorAgainst(says);

    expect(error.name).toBe('PeerCertificateMismatch');
    expect(error.message).toContain('no TLS');
  });

  it('that sends noise, also behind a good beginning, ends the client with an error', async () => {
    const accepted = Buffer.concat([greeting(), encodeOptionReply(OPTION.STARTTLS, REPLY.ACK)]);
    const beginnings = fc.constantFrom(Buffer.alloc(0), greeting(), accepted);

    await fc.assert(
      fc.asyncProperty(beginnings, fc.uint8Array({ maxLength: 200 }), async (beginning, noise) => {
        const error = await errorAgainst(Buffer.concat([beginning, noise]));

        expect(['PeerCertificateMismatch', 'ProtocolError', 'ConnectionLost', 'PeerRefused']).toContain(error.name);
      }),
      { numRuns: 60 },
    );
  });
});
