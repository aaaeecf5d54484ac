import type { ServerCommand } from '../measure/server.ts';
import type { Contender, Place, Step } from './contender.ts';
import { runs } from './contender.ts';

/** Tools that write to a file behind nbdkit on loopback, plain or with certificates on both sides. */
type Way = 'tcp' | 'tls';

const nbdkit =
  (way: Way) =>
  ({ destination, port, readyFile, tlsDirectory }: Place): ServerCommand => ({
    argv: [
      'nbdkit',
      '--foreground',
      '--exit-with-parent',
      '--ipaddr=127.0.0.1',
      `--port=${port}`,
      `--pidfile=${readyFile}`,
      ...(way === 'tls' ? ['--tls=require', '--tls-verify-peer', `--tls-certificates=${tlsDirectory}`] : []),
      'file',
      destination,
    ],
    readyFile,
  });

const peer = (name: string, tool: string, way: Way, steps: (place: Place) => readonly Step[]): Contender => ({
  name,
  side: 'peer',
  needs: [tool, 'nbdkit'],
  needsDestination: true,
  server: nbdkit(way),
  steps,
});

/** The name in the server's certificate is `localhost`, and clients insist on it. */
const uri = (way: Way, { port, tlsDirectory }: Place): string =>
  way === 'tcp' ? `nbd://127.0.0.1:${port}/` : `nbds://localhost:${port}/?tls-certificates=${tlsDirectory}`;

const nbdcopy = (way: Way, connections: number): Contender =>
  peer(`nbdcopy C=${connections} nbdkit`, 'nbdcopy', way, (place) => [
    runs('nbdcopy', '--flush', '--destination-is-zero', `--connections=${connections}`, place.source, uri(way, place)),
  ]);

const qemuImg = (way: Way): Contender =>
  peer('qemu-img -m8 -W nbdkit', 'qemu-img', way, ({ source, port, tlsDirectory }) => {
    const host = way === 'tcp' ? '127.0.0.1' : 'localhost';
    const credentials = `tls-creds-x509,id=tls,endpoint=client,dir=${tlsDirectory}`;
    const target = `driver=raw,file.driver=nbd,file.host=${host},file.port=${port}`;
    return [
      runs(
        'qemu-img',
        'convert',
        ...(way === 'tls' ? ['--object', credentials] : []),
        ...['-n', '--target-is-zero', '-m', '8', '-W', '-t', 'writeback', '-f', 'raw', '--target-image-opts'],
        source,
        way === 'tls' ? `${target},file.tls-creds=tls` : target,
      ),
    ];
  });

export const networkPeers = (way: Way): Contender[] => [nbdcopy(way, 4), nbdcopy(way, 1), qemuImg(way)];
