import { connectNbd } from '../../../host-agent/nbd/client.ts';
import { copy, openSource } from './copying.ts';
import { exportOf, type Network } from './network.ts';
import { report } from './outcome.ts';
import { tlsOf } from './tls.ts';

/** The source's agent: its volumes, all at once, each over a connection of its own. */
const sendOne = async (path: string, index: number, { port, tlsDirectory }: Network) => {
  const source = await openSource(path);
  const destination = await connectNbd({
    host: '127.0.0.1',
    port,
    exportName: exportOf(index),
    tls: tlsDirectory === undefined ? undefined : tlsOf(tlsDirectory, 'client'),
    signal: new AbortController().signal,
  });
  try {
    return await copy(source, destination, { digest: true, retained: false });
  } finally {
    await destination.close();
    await source.close();
  }
};

export const send = async (paths: readonly string[], network: Network): Promise<void> => {
  const copied = await Promise.all(paths.map((path, index) => sendOne(path, index, network)));
  report(
    copied.map(({ digest }) => digest),
    copied.reduce((sum, { bytes }) => sum + bytes.written, 0),
  );
};
