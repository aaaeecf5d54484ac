import { execFile } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The demo's data: a real ext4 file system with files in it where mkfs.ext4 is to be had, else seeded random bytes. */

const run = promisify(execFile);
const MIB = 1024 * 1024;

/** The same bytes for the same seed, as fast as AES-CTR. */
const seeded = (seed: number): ((lengthBytes: number) => Buffer) => {
  const cipher = createCipheriv('aes-128-ctr', createHash('md5').update(String(seed)).digest(), Buffer.alloc(16));
  return (lengthBytes) => cipher.update(Buffer.alloc(lengthBytes));
};

const makeFiles = async (directory: string, mebibytes: number): Promise<void> => {
  const next = seeded(20261124);
  await mkdir(directory, { recursive: true });
  for (let i = 0; i < mebibytes; i++)
    await writeFile(join(directory, `file-${String(i).padStart(3, '0')}.bin`), next(MIB));
};

const scatter = async (path: string, mebibytes: number): Promise<void> => {
  const next = seeded(20261124);
  const handle = await open(path, 'r+');
  try {
    const { size } = await handle.stat();
    const stride = Math.floor(size / MIB / mebibytes) * MIB;
    for (let i = 0; i < mebibytes; i++) await handle.write(next(MIB), 0, MIB, i * stride);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Fills the volume behind `path`; returns what it holds, in words. */
export const fillVolume = async (path: string, mebibytes: number, scratch: string): Promise<string> => {
  const files = join(scratch, 'files');
  try {
    await run('mkfs.ext4', ['-V']);
  } catch {
    await scatter(path, mebibytes);
    return `${mebibytes} MiB of seeded random bytes (there is no mkfs.ext4 here)`;
  }
  await makeFiles(files, mebibytes);
  try {
    await run('mkfs.ext4', ['-q', '-F', '-E', 'nodiscard', '-d', files, path]);
  } finally {
    await rm(files, { recursive: true, force: true });
  }
  return `an ext4 file system with ${mebibytes} files of 1 MiB`;
};

/** SHA-256 of everything that a guest would read, holes included. */
export const contentOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 4 * MIB })) hash.update(piece as Buffer);
  return hash.digest('hex');
};
