import { connectNbd } from '../../../host-agent/nbd/client.ts';
import { copy, openSource } from './copying.ts';
import { exportOf, type Network } from './network.ts';
import { report } from './outcome.ts';
import { tlsOf } from './tls.ts';

/** The source's agent: its volumes, all at once, each over a connection of its own. */
const sendOne = async (path: string, index: number, digest: boolean, { port, tlsDirectory }: Network) => {
  const source = await openSource(path);
  const destination = await connectNbd({
    host: '127.0.0.1',
    port,
    exportName: exportOf(index),
    tls: tlsDirectory === undefined ? undefined : tlsOf(tlsDirectory, 'client'),
    mapped: false,
    signal: new AbortController().signal,
  });
  try {
    return await copy(source, destination, { digest, retained: false });
  } finally {
    await destination.close();
    await source.close();
  }
};

export const send = async (paths: readonly string[], digest: boolean, network: Network): Promise<void> => {
  const copied = await Promise.all(paths.map((path, index) => sendOne(path, index, digest, network)));
  report(
    copied.map(({ digest }) => digest),
    copied.reduce((sum, { bytes }) => sum + bytes.written, 0),
  );
};
