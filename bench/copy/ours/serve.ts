import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import process from 'node:process';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { createNbdServer } from '../../../host-agent/nbd/server.ts';
import { openDestination, readBack } from './copying.ts';
import { exportOf, type Network } from './network.ts';
import { report } from './outcome.ts';
import { tlsOf } from './tls.ts';

/** The destination's agent. Ends by SIGTERM, or when whoever started it is gone; with `verify` it reads back before. */
export interface Serve extends Network {
  readonly readyFile: string;
  readonly verify: boolean;
}

const untilStopped = async (): Promise<void> => {
  const orphaned = once(process.stdin.resume(), 'end');
  await Promise.race([once(process, 'SIGTERM'), orphaned]);
  process.stdin.destroy();
};

export const serve = async (paths: readonly string[], options: Serve): Promise<void> => {
  const devices = new Map<string, BlockDevice>();
  for (const [index, path] of paths.entries()) devices.set(exportOf(index), await openDestination(path));
  const tls = options.tlsDirectory === undefined ? undefined : tlsOf(options.tlsDirectory, 'server');
  const server = await createNbdServer({
    host: '127.0.0.1',
    port: options.port,
    tls,
    resolveExport: async (name, peerFingerprint) => {
      const device = devices.get(name);
      if (!device) return { refused: 'no such export is open', because: 'ExportNotOpen' };
      return tls && peerFingerprint !== tls.peerFingerprint
        ? { refused: 'who is that?', because: 'PeerRefused' }
        : { device, readOnly: false };
    },
    onProblem: (what, error) => console.error(`${what}: ${(error as Error).message}`),
  });
  const stopped = untilStopped();
  await writeFile(`${options.readyFile}.new`, 'ready');
  await rename(`${options.readyFile}.new`, options.readyFile);
  await stopped;
  for (const name of devices.keys()) await server.endExport(name);
  await server.close();
  const digests = options.verify
    ? await Promise.all(paths.map((path, index) => readBack(path, devices.get(exportOf(index))?.sizeBytes ?? 0)))
    : [];
  for (const device of devices.values()) await device.close();
  report(digests, 0);
};
