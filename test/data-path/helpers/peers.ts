import { execFile, spawn, spawnSync } from 'node:child_process';
import { stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { it, onTestFinished } from 'vitest';
import type { BlockDevice, Extent } from '../../../domain/block-device.ts';
import { openFileDevice } from '../../../host-agent/device/file-device.ts';
import type { Certificate } from '../../../host-agent/nbd/certificate.ts';
import { connectNbd } from '../../../host-agent/nbd/client.ts';
import type { NbdTarget } from '../../../host-agent/nbd/connect.ts';
import { tempDir } from './temp-dir.ts';

/** Programs that others wrote and that speak NBD: what is not installed skips its tests, which then say so in their names. */
export const MIB = 1024 * 1024;

type Program = 'qemu-img' | 'qemu-io' | 'qemu-nbd' | 'nbdinfo' | 'nbdcopy' | 'nbdkit';

const isThere = (program: Program): boolean => spawnSync(program, ['--version']).status === 0;

/** `it`, for tests that need these programs. */
export const withPrograms = (...programs: Program[]) => {
  const missing = programs.filter((program) => !isThere(program));
  return (name: string, test: () => Promise<void>): void =>
    it.skipIf(missing.length > 0)(missing.length > 0 ? `${name} (not installed: ${missing.join(', ')})` : name, test);
};

const execute = promisify(execFile);

/** What it prints; rejects with what it says on standard error when it fails. */
export const run = async (program: Program, ...args: string[]): Promise<string> =>
  (await execute(program, args, { timeout: 30_000 })).stdout;

/** A server that runs as long as the test does. It listens when it is ready, so a client may have to try again. */
export const started = (program: Program, ...args: string[]): void => {
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  });
};

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Our client at a server that was started just now. */
export const reached = async (target: DistributiveOmit<NbdTarget, 'signal'>): Promise<BlockDevice> => {
  const signal = AbortSignal.timeout(20_000);
  for (;;) {
    try {
      const device = await connectNbd({ ...target, signal });
      onTestFinished(() => device.close());
      return device;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code !== 'ConnectionLost' || !message.includes('cannot be reached')) throw error;
      await wait(10);
    }
  }
};

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A sparse file of 5 MiB with data in [1 MiB, 2 MiB) and [3 MiB, 3 MiB + 64 KiB). */
export const volumeFile = async (): Promise<{ path: string; content: Buffer }> => {
  const path = await emptyFile(5 * MIB);
  const content = Buffer.alloc(5 * MIB)
    .fill('data', MIB, 2 * MIB)
    .fill('more', 3 * MIB, 3 * MIB + 65_536);
  const file = await openFileDevice(path, { mode: 'rw' });
  await file.write(MIB, content.subarray(MIB, 2 * MIB));
  await file.write(3 * MIB, content.subarray(3 * MIB, 3 * MIB + 65_536));
  await file.flush();
  await file.close();
  return { path, content };
};

export const VOLUME_EXTENTS: readonly Extent[] = [
  { offset: 0, lengthBytes: MIB, kind: 'hole' },
  { offset: MIB, lengthBytes: MIB, kind: 'data' },
  { offset: 2 * MIB, lengthBytes: MIB, kind: 'hole' },
  { offset: 3 * MIB, lengthBytes: 65_536, kind: 'data' },
  { offset: 3 * MIB + 65_536, lengthBytes: 2 * MIB - 65_536, kind: 'hole' },
];

/** A new file, sparse or full of one byte. */
export const emptyFile = async (sizeBytes: number, fill?: number): Promise<string> => {
  const path = join(await tempDir(), 'volume.img');
  await writeFile(path, fill === undefined ? '' : Buffer.alloc(sizeBytes, fill));
  await truncate(path, sizeBytes);
  return path;
};

/** A file as a device for as long as the test runs. */
export const opened = async (path: string, mode: 'ro' | 'rw'): Promise<BlockDevice> => {
  const device = await openFileDevice(path, { mode });
  onTestFinished(() => device.close());
  return device;
};

/** What a file takes up, without the few blocks that its map may need. */
export const allocatedMib = async (path: string): Promise<number> =>
  Math.floor(((await stat(path)).blocks * 512) / MIB);

export const readAll = async (device: BlockDevice): Promise<Buffer> => {
  const content = Buffer.alloc(device.sizeBytes, 0xee);
  await device.read(0, content);
  return content;
};

export const contentOf = async (path: string): Promise<Buffer> => {
  const file = await openFileDevice(path, { mode: 'ro' });
  try {
    return await readAll(file);
  } finally {
    await file.close();
  }
};

/** With neighbours of one kind as one: how finely a server tells its extents is its own affair. */
export const extentsOf = async (device: BlockDevice): Promise<Extent[]> => {
  const runs: Extent[] = [];
  for await (const extent of device.extents(0, device.sizeBytes)) {
    const last = runs.at(-1);
    if (last?.kind === extent.kind)
      runs[runs.length - 1] = { ...last, lengthBytes: last.lengthBytes + extent.lengthBytes };
    else runs.push(extent);
  }
  return runs;
};

/**
 * A directory as GnuTLS tools want it. Ours are certificates of their owners' own, so the peer's own one stands for the authority
 * that it was signed by.
 */
export const tlsDirectory = async (as: 'client' | 'server', own: Certificate, peer: Certificate): Promise<string> => {
  const directory = await tempDir();
  await writeFile(join(directory, 'ca-cert.pem'), peer.certPem);
  await writeFile(join(directory, `${as}-cert.pem`), own.certPem);
  await writeFile(join(directory, `${as}-key.pem`), own.keyPem);
  return directory;
};
