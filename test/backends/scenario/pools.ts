import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from '../ceph/daemons.ts';
import { sh } from '../lvm/group.ts';

/** Pools as their own tools show them, past volmove: what lies in them, and the bytes of it. */
export interface Pool {
  /** HOST@BACKEND#POOL */
  readonly at: string;
  names(): Promise<string[]>;
  /** Writes what the tests move. */
  fill(name: string): Promise<void>;
  /** A digest of what was written and of what lies around it; the rest is for volmove's own digests to prove. */
  content(name: string): Promise<string>;
}

export const MIB = 1024 * 1024;
/** The first chunk of a copy has nothing in it, so that something is settled at once; the last piece ends in the middle of a block. */
const PIECES_MIB = [1, 100, 333, 900];
const PIECE_BYTES = 2 * MIB - 12_345;

/** What is mapped of a thin volume afterwards, at the most: pools of the tests have chunks of 64 KiB. */
export const FILLED_MIB = PIECES_MIB.length * 2;

const within = async <T>(path: string, mode: 'r' | 'r+', act: (handle: FileHandle) => Promise<T>): Promise<T> => {
  const handle = await open(path, mode);
  try {
    return await act(handle);
  } finally {
    await handle.close();
  }
};

const fillPath = (path: string): Promise<void> =>
  within(path, 'r+', async (handle) => {
    for (const mib of PIECES_MIB) await handle.write(randomBytes(PIECE_BYTES), 0, PIECE_BYTES, mib * MIB);
    await handle.sync();
  });

const contentAt = (path: string): Promise<string> =>
  within(path, 'r', async (handle) => {
    const hash = createHash('sha256');
    const memory = Buffer.alloc(4 * MIB);
    for (const mib of PIECES_MIB) {
      await handle.read(memory, 0, memory.length, (mib - 1) * MIB);
      hash.update(memory);
    }
    return hash.digest('hex');
  });

export const filePool = (at: string, directory: string): Pool => {
  const path = (name: string): string => join(directory, `${name}.img`);
  return {
    at,
    names: async () =>
      (await readdir(directory)).filter((file) => file.endsWith('.img')).map((file) => file.slice(0, -'.img'.length)),
    fill: (name) => fillPath(path(name)),
    content: (name) => contentAt(path(name)),
  };
};

/** Thin volumes of one pool, or the thick ones of the group. */
export const lvmPool = (at: string, vg: string, thinPool = ''): Pool => ({
  at,
  names: async () =>
    (await sh('lvs', '--noheadings', '--separator', '|', '-o', 'pool_lv,segtype,lv_name', vg))
      .split('\n')
      .map((line) => line.trim().split('|'))
      .filter(([pool, kind]) => pool === thinPool && kind !== undefined && kind !== 'thin-pool')
      .map(([, , name = '']) => name),
  fill: (name) => fillPath(`/dev/${vg}/${name}`),
  content: (name) => contentAt(`/dev/${vg}/${name}`),
});

export interface CephAccess {
  readonly conf: string;
  readonly keyring: string;
}

export const rbdTool = ({ conf, keyring }: CephAccess, ...args: readonly string[]): Promise<string> =>
  tool('rbd', ['--conf', conf, '--keyring', keyring, ...args]);

const scratch = async <T>(act: (file: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'volmove-image-'));
  try {
    return await act(join(directory, 'image'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const qemuName = (pool: string, image: string, { conf, keyring }: CephAccess): string =>
  `rbd:${pool}/${image}:conf=${conf}:keyring=${keyring}`;

export const rbdPool = (at: string, pool: string, access: CephAccess): Pool => ({
  at,
  names: async () => JSON.parse(await rbdTool(access, 'ls', pool, '--format', 'json')) as string[],
  fill: (name) =>
    scratch(async (file) => {
      const { size } = JSON.parse(await rbdTool(access, 'info', `${pool}/${name}`, '--format', 'json')) as {
        size: number;
      };
      await writeFile(file, '');
      await truncate(file, size);
      await fillPath(file);
      const target = qemuName(pool, name, access);
      await tool('qemu-img', ['convert', '-n', '--target-is-zero', '-f', 'raw', '-O', 'raw', file, target]);
    }),
  content: (name) =>
    scratch(async (file) => {
      // `rbd export` looks at every byte, of which most are not there
      await tool('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', qemuName(pool, name, access), file]);
      return contentAt(file);
    }),
});
