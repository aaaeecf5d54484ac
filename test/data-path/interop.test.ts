import { execFile, spawn, spawnSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { openFileDevice } from '../../host-agent/device/file-device.ts';
import { createCertificate } from '../../host-agent/nbd/certificate.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { copying } from './helpers/copying.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { CLIENT } from './helpers/nbd-rig.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { tempDir } from './helpers/temp-dir.ts';

const MIB = 1024 * 1024;
const run = promisify(execFile);

const tools = ['nbdinfo', 'nbdcopy', 'qemu-img', 'qemu-nbd'] as const;
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const QEMU_NBD = tools[3];
const there = (tool: (typeof tools)[number]): boolean => !missing.includes(tool);
const others = missing.length === 0 ? 'other NBD tools' : `other NBD tools (not installed here: ${missing.join(', ')})`;

const exported = async (device: BlockDevice): Promise<string> =>
  `nbd://127.0.0.1:${portOf(await plainServer(device))}/there`;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** A file of 5 MiB with 1 MiB of data in it. */
const volumeFile = async (): Promise<{ path: string; content: Buffer }> => {
  const path = join(await tempDir(), 'volume.img');
  await writeFile(path, '');
  await truncate(path, 5 * MIB);
  const content = Buffer.alloc(5 * MIB).fill('data', MIB, 2 * MIB);
  const file = await openFileDevice(path, { mode: 'rw' });
  await file.write(MIB, content.subarray(MIB, 2 * MIB));
  await file.close();
  return { path, content };
};

const contentOf = async (path: string): Promise<Buffer> => {
  const file = await openFileDevice(path, { mode: 'ro' });
  const content = Buffer.alloc(file.sizeBytes);
  await file.read(0, content);
  await file.close();
  return content;
};

describe(others, () => {
  it.runIf(there('nbdinfo'))('nbdinfo finds the export and its size', async () => {
    const { stdout } = await run('nbdinfo', ['--size', await exported(memoryDevice(5 * MIB))]);

    expect(stdout.trim()).toBe(`${5 * MIB}`);
  });

  it.runIf(there('nbdinfo'))('nbdinfo comes in over mutual TLS with the certificate that was admitted', async () => {
    const device = memoryDevice(5 * MIB);
    // it checks the name in the certificate, where an agent pins the fingerprint
    const tls = await createCertificate('localhost', Date.now());
    const server = await plainServer(device, {
      tls,
      resolveExport: async (_name, peer) =>
        peer === CLIENT.fingerprint ? { device, readOnly: false } : { refused: 'who is that?' },
    });
    const directory = await tempDir();
    await writeFile(join(directory, 'ca-cert.pem'), tls.certPem);
    await writeFile(join(directory, 'client-cert.pem'), CLIENT.certPem);
    await writeFile(join(directory, 'client-key.pem'), CLIENT.keyPem);

    const uri = `nbds://localhost:${portOf(server)}/there?tls-certificates=${directory}`;
    const { stdout } = await run('nbdinfo', ['--size', uri]);

    expect(stdout.trim()).toBe(`${5 * MIB}`);
  });

  it.runIf(there('qemu-img'))('qemu-img writes a volume into the export', async () => {
    const device = memoryDevice(5 * MIB, 0xff);
    const { path, content } = await volumeFile();

    await run('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', path, await exported(device)]);

    expect(device.content.equals(content)).toBe(true);
  });

  it.runIf(there('nbdcopy'))('nbdcopy writes a volume into the export and reads it back', async () => {
    const device = memoryDevice(5 * MIB, 0xff);
    const uri = await exported(device);
    const { path, content } = await volumeFile();
    const back = `${path}.back`;

    await run('nbdcopy', ['--flush', path, uri]);
    await run('nbdcopy', [uri, back]);

    expect(device.durable().equals(content)).toBe(true);
    expect((await contentOf(back)).equals(content)).toBe(true);
  });

  it.runIf(there(QEMU_NBD))('qemu-nbd takes a copy from our client', async () => {
    const { path } = await volumeFile();
    const port = await freePort();
    const address = ['--bind', '127.0.0.1', '--port', `${port}`];
    const child = spawn(QEMU_NBD, ['--persistent', ...address, '--format', 'raw', '--export-name', 'there', path]);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const target = { host: '127.0.0.1', port, exportName: 'there', signal: AbortSignal.timeout(20_000) };
    const connected = async (): Promise<BlockDevice> => {
      for (;;) {
        try {
          return await connectNbd(target);
        } catch (error) {
          // it listens when it is ready
          if ((error as { code?: string }).code !== 'ConnectionLost') throw error;
        }
      }
    };
    const source = memoryDevice(5 * MIB);
    await source.write(3 * MIB + 5, Buffer.alloc(MIB, 'other'));
    const destination = await connected();

    await copying(source, destination, { destinationIsZero: false }).copied;

    const back = Buffer.alloc(5 * MIB);
    await destination.read(0, back);
    expect(back.equals(source.content)).toBe(true);
    expect((await contentOf(path)).equals(source.content)).toBe(true);
    await destination.close();
  });

  it('that are missing are named above', () => {
    for (const tool of missing) expect(others).toContain(tool);
  });
});
