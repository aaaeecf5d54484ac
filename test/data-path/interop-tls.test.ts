import { describe, expect } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { createCertificate } from '../../host-agent/nbd/certificate.ts';
import { copying } from './helpers/copying.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { CLIENT, STRANGER } from './helpers/nbd-rig.ts';
import {
  contentOf,
  extentsOf,
  freePort,
  MIB,
  reached,
  readAll,
  run,
  started,
  tlsDirectory,
  VOLUME_EXTENTS,
  volumeFile,
  withPrograms,
} from './helpers/peers.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { thrownBy } from './helpers/thrown.ts';

/**
 * Mutual TLS with GnuTLS and what is built on it. Agents pin fingerprints; these tools believe in authorities and in names, so
 * the certificate of each side stands for its own authority, and the name must be one that is in it. qemu wants an authority to
 * say that it is one, which ours do not: it has to be told `sanity-check=off`; it still verifies.
 */
const SERVER = await createCertificate('localhost', Date.now());

const secureServer = async (device: BlockDevice): Promise<number> =>
  portOf(
    await plainServer(device, {
      tls: SERVER,
      resolveExport: async (_name, peer) =>
        peer === CLIENT.fingerprint ? { device, readOnly: false } : { refused: 'the certificate is not admitted' },
    }),
  );

const qemuCredentials = (directory: string): string[] => [
  '--object',
  `tls-creds-x509,id=tls0,endpoint=client,dir=${directory},sanity-check=off`,
];

const qemuImage = (port: number): string => `driver=nbd,host=localhost,port=${port},export=there,tls-creds=tls0`;

describe('our server over mutual TLS', () => {
  const qemu = withPrograms('qemu-img');
  const libnbd = withPrograms('nbdinfo', 'nbdcopy');

  qemu('takes a volume from qemu-img and gives it back', async () => {
    const { path, content } = await volumeFile();
    const device = memoryDevice(5 * MIB, 0xff);
    const credentials = qemuCredentials(await tlsDirectory('client', CLIENT, SERVER));
    const image = qemuImage(await secureServer(device));

    await run('qemu-img', 'convert', ...credentials, '-n', '-f', 'raw', '--target-image-opts', path, image);
    await run('qemu-img', 'convert', ...credentials, '--image-opts', '-O', 'raw', image, `${path}.back`);

    expect(device.durable().equals(content)).toBe(true);
    expect((await contentOf(`${path}.back`)).equals(content)).toBe(true);
  });

  qemu('refuses qemu-img with a certificate that is not admitted', async () => {
    const credentials = qemuCredentials(await tlsDirectory('client', STRANGER, SERVER));

    const info = run(
      'qemu-img',
      'info',
      ...credentials,
      '--image-opts',
      qemuImage(await secureServer(memoryDevice(MIB))),
    );

    expect((await thrownBy(info)).message).toContain('the certificate is not admitted');
  });

  libnbd('tells nbdinfo that the way is secure', async () => {
    const directory = await tlsDirectory('client', CLIENT, SERVER);
    const port = await secureServer(memoryDevice(5 * MIB));

    const info = await run('nbdinfo', '--json', `nbds://localhost:${port}/there?tls-certificates=${directory}`);

    expect(JSON.parse(info)).toMatchObject({ TLS: true, structured: true, exports: [{ 'export-size': 5 * MIB }] });
  });

  libnbd('takes a volume from nbdcopy over four connections and gives it back', async () => {
    const { path, content } = await volumeFile();
    const device = memoryDevice(5 * MIB, 0xff);
    const directory = await tlsDirectory('client', CLIENT, SERVER);
    const uri = `nbds://localhost:${await secureServer(device)}/there?tls-certificates=${directory}`;
    const four = ['--connections=4', '--request-size=65536'];

    await run('nbdcopy', ...four, '--flush', path, uri);
    await run('nbdcopy', ...four, uri, `${path}.back`);

    expect(device.durable().equals(content)).toBe(true);
    expect((await contentOf(`${path}.back`)).equals(content)).toBe(true);
  });

  libnbd('is not believed by nbdinfo with another certificate than it was told', async () => {
    const directory = await tlsDirectory('client', CLIENT, STRANGER);
    const port = await secureServer(memoryDevice(MIB));

    const error = await thrownBy(run('nbdinfo', `nbds://localhost:${port}/there?tls-certificates=${directory}`));

    expect(error.message).toContain('certificate');
  });

  libnbd('lets nobody in without TLS, or without a certificate', async () => {
    const port = await secureServer(memoryDevice(MIB));

    await thrownBy(run('nbdinfo', `nbd://localhost:${port}/there`));
    await thrownBy(run('nbdinfo', `nbds://localhost:${port}/there?tls-verify-peer=false`));
  });
});

const tls = { keyPem: CLIENT.keyPem, certPem: CLIENT.certPem, peerFingerprint: SERVER.fingerprint };

/** Reads a volume as it is, with its extents, and copies another one over it. */
const servesOurClient = async (port: number, content: Buffer): Promise<void> => {
  const remote = await reached({ host: '127.0.0.1', port, exportName: 'there', tls });
  expect((await readAll(remote)).equals(content)).toBe(true);
  expect(await extentsOf(remote)).toEqual(VOLUME_EXTENTS);

  const source = memoryDevice(5 * MIB);
  await source.write(4 * MIB + 5, Buffer.alloc(MIB / 2, 'other'));
  await copying(source, remote, { destinationIsZero: false }).copied;

  expect((await readAll(remote)).equals(source.content)).toBe(true);
};

const nbdkitOn = (port: number, ...args: string[]) =>
  started('nbdkit', '--foreground', '--exit-with-parent', '-i', '127.0.0.1', '-p', `${port}`, ...args);

describe('our client over mutual TLS', () => {
  withPrograms('nbdkit')('reads and writes what nbdkit serves', async () => {
    const { path, content } = await volumeFile();
    const port = await freePort();
    const directory = await tlsDirectory('server', SERVER, CLIENT);
    const secure = ['--tls=require', `--tls-certificates=${directory}`, '--tls-verify-peer'];

    nbdkitOn(port, ...secure, 'file', path);

    await servesOurClient(port, content);
  });

  withPrograms('qemu-nbd')('reads and writes what qemu-nbd serves', async () => {
    const { path, content } = await volumeFile();
    const port = await freePort();
    const directory = await tlsDirectory('server', SERVER, CLIENT);
    const object = `tls-creds-x509,id=tls0,endpoint=server,dir=${directory},verify-peer=on,sanity-check=off`;
    const address = ['--bind', '127.0.0.1', '--port', `${port}`, '--export-name', 'there'];

    started('qemu-nbd', '--persistent', ...address, '--object', object, '--tls-creds', 'tls0', '-f', 'raw', path);

    await servesOurClient(port, content);
  });

  withPrograms('nbdkit')('leaves a server whose certificate is another', async () => {
    const port = await freePort();
    const directory = await tlsDirectory('server', STRANGER, CLIENT);
    const secure = ['--tls=require', `--tls-certificates=${directory}`];
    nbdkitOn(port, ...secure, 'memory', '1M');

    const error = await thrownBy(reached({ host: '127.0.0.1', port, exportName: '', tls }));

    expect(error).toMatchObject({ code: 'PeerCertificateMismatch' });
  });

  withPrograms('nbdkit')('leaves a server that has no TLS', async () => {
    const port = await freePort();
    started('nbdkit', '--foreground', '--exit-with-parent', '-i', '127.0.0.1', '-p', `${port}`, 'memory', '1M');

    const error = await thrownBy(reached({ host: '127.0.0.1', port, exportName: '', tls }));

    expect(error).toMatchObject({ code: 'PeerCertificateMismatch' });
  });
});
