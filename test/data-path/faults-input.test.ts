import { spawnSync } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import type { Checkpoint } from '../../host-agent/copy/checkpoint.ts';
import { DataPathError } from '../../host-agent/device/errors.ts';
import { openFileDevice } from '../../host-agent/device/file-device.ts';
import { createDigest } from '../../host-agent/digest/digest.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { copying } from './helpers/copying.ts';
import { shrinking } from './helpers/faults/shrinking.ts';
import { eio, enospc, failing } from './helpers/faults/system-errors.ts';
import { watched } from './helpers/faults/watched.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { nbdRig, STRANGER } from './helpers/nbd-rig.ts';
import { readBack } from './helpers/proof.ts';
import { tempDir } from './helpers/temp-dir.ts';
import { thrownBy } from './helpers/thrown.ts';
import { deferred } from './helpers/until.ts';

const CHUNKS = 12;
const SIZE_BYTES = CHUNKS * CHUNK_BYTES;
const full = () => memoryDevice(SIZE_BYTES, 0x3c);
const empty = () => memoryDevice(SIZE_BYTES);

const refusedBy = async (promise: Promise<unknown>): Promise<DataPathError> => {
  const error = await thrownBy(promise);
  if (error instanceof DataPathError) return error;
  throw error;
};

interface Bad {
  readonly source?: (good: BlockDevice) => BlockDevice;
  readonly destination?: (good: BlockDevice) => BlockDevice;
  readonly code: string;
  /** Of the remedy. */
  readonly says: string;
}

const smaller = (device: BlockDevice): BlockDevice => ({ ...device, sizeBytes: SIZE_BYTES - CHUNK_BYTES });

const BAD: Readonly<Record<string, Bad>> = {
  'a destination that is smaller': { destination: smaller, code: 'DestinationTooSmall', says: 'at least as large' },
  'a source that shrinks while it is read': {
    source: (good) => shrinking(good, 6, 8 * CHUNK_BYTES),
    code: 'ShortRead',
    says: 'made smaller, or replaced',
  },
  'a destination that shrinks while it is written': {
    destination: (good) => shrinking(good, 6, 8 * CHUNK_BYTES),
    code: 'NoSpace',
    says: 'Free space',
  },
  'a destination that is full': {
    destination: (good) => failing('write', 7, enospc, good),
    code: 'NoSpace',
    says: 'Free space',
  },
  'a source with a bad sector in the middle': {
    source: (good) => failing('read', 7, eio, good),
    code: 'IoError',
    says: 'log of the storage',
  },
  'a destination with a bad sector in the middle': {
    destination: (good) => failing('write', 7, eio, good),
    code: 'IoError',
    says: 'log of the storage',
  },
  'a destination that cannot flush': {
    destination: (good) => failing('flush', 3, eio, good),
    code: 'FlushFailed',
    says: 'goes back to the checkpoint',
  },
};

describe('a copy with', () => {
  it.each(Object.keys(BAD))(
    '%s ends with a name and a remedy, leaves the source alone and can be gone on with',
    async (name) => {
      const { source: spoil = (d) => d, destination: spoilToo = (d) => d, code, says } = BAD[name] as Bad;
      const memory = full();
      const source = watched(memory);
      const destination = empty();
      const first = copying(spoil(source), spoilToo(destination), { sizeBytes: SIZE_BYTES });

      const error = await refusedBy(first.copied);
      const after = destination.crashed();
      const checkpoint = first.checkpoints.at(-1);
      const { digest } = await copying(source, after, checkpoint ? { checkpoint } : {}).copied;

      expect(error.code).toBe(code);
      expect(error.remedy).toContain(says);
      expect(source.changes()).toBe(0);
      expect(memory.content.equals(full().content)).toBe(true);
      expect(await readBack(after)).toBe(digest);
      expect(after.content.equals(memory.content)).toBe(true);
    },
  );

  it('a source that is smaller than the volume ends before anything is written', async () => {
    const destination = watched(empty());

    const error = await refusedBy(copying(smaller(full()), destination, { sizeBytes: SIZE_BYTES }).copied);

    expect(error).toMatchObject({ code: 'ShortRead', remedy: expect.stringContaining('made smaller') });
    expect(destination.changes()).toBe(0);
  });

  it.each([
    ['of another size', { settledBytes: CHUNK_BYTES, digest: { ...createDigest(SIZE_BYTES * 2).state() } }],
    [
      'in another format',
      { settledBytes: 0, digest: { ...createDigest(SIZE_BYTES).state(), format: 'volmove-merkle-0' } },
    ],
    ['whose hashes are not enough', { settledBytes: 0, digest: { ...createDigest(SIZE_BYTES).state(), chunks: 3 } }],
  ])('a checkpoint %s ends before anything is written', async (_what, checkpoint) => {
    const destination = watched(empty());

    const { copied } = copying(full(), destination, { checkpoint: checkpoint as unknown as Checkpoint });
    const error = await refusedBy(copied);

    expect(error).toMatchObject({ code: 'CheckpointMismatch', remedy: 'Start the copy from the beginning.' });
    expect(destination.changes()).toBe(0);
  });
});

describe('a peer', () => {
  it('with another certificate is not sent a byte', async () => {
    const rig = await nbdRig(empty());

    const error = await refusedBy(rig.client({ peerFingerprint: STRANGER.fingerprint }));

    expect(error).toMatchObject({
      code: 'PeerCertificateMismatch',
      remedy: expect.stringContaining('register it again'),
    });
    expect(rig.asked).toEqual([]);
  });

  it('that does not admit our certificate says so', async () => {
    const rig = await nbdRig(empty());

    const error = await refusedBy(rig.client({ certificate: STRANGER }));

    expect(error).toMatchObject({
      code: 'PeerRefused',
      message: expect.stringContaining('not the one that was admitted'),
    });
  });

  it.each([
    ['NoSpace', enospc],
    ['IoError', eio],
  ])('whose storage fails tells %s over the wire', async (code, error) => {
    const source = full();
    const rig = await nbdRig(failing('write', 5, error, empty()));

    expect((await refusedBy(copying(source, await rig.client()).copied)).code).toBe(code);
  });
});

const mayMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

describe('real storage', () => {
  it.runIf(mayMount)('that becomes full on the way is NoSpace (needs root: a tmpfs of 4 MiB)', async () => {
    const mountpoint = join(await tempDir(), 'small');
    await mkdir(mountpoint);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mountpoint]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', [mountpoint]));
    const path = join(mountpoint, 'destination.img');
    await writeFile(path, '');
    await truncate(path, SIZE_BYTES);
    const destination = await openFileDevice(path, { mode: 'rw', direct: true });
    const source = watched(full());

    const error = await refusedBy(copying(source, destination).copied);
    await destination.close();

    expect(error).toMatchObject({ code: 'NoSpace', remedy: expect.stringContaining('Free space') });
    expect(source.changes()).toBe(0);
  });

  it.each([
    ['in its data', [], 10 * CHUNK_BYTES],
    ['within a block of its data', [], 10 * CHUNK_BYTES + 77],
    ['in a hole that more data followed', [1, 2, 3, 4, 5, 6, 7], 4 * CHUNK_BYTES],
    ['before everything', [1, 2, 3], 0],
  ])(
    'of the source that is cut off underneath, %s, is a short read and never a hole',
    async (_where, holes, leftBytes) => {
      const path = join(await tempDir(), 'source.img');
      await writeFile(path, '');
      await truncate(path, SIZE_BYTES);
      const filling = await openFileDevice(path, { mode: 'rw' });
      for (let chunk = 0; chunk < CHUNKS; chunk++)
        if (!holes.includes(chunk)) await filling.write(chunk * CHUNK_BYTES, Buffer.alloc(CHUNK_BYTES, 0x3c));
      await filling.close();
      const source = await openFileDevice(path, { mode: 'ro', direct: true });
      onTestFinished(() => source.close());
      const cut = deferred();
      const cutting: BlockDevice = {
        ...source,
        async read(offset, target) {
          if (offset > 0) await cut.promise;
          await source.read(offset, target);
          if (offset > 0) return;
          await truncate(path, leftBytes);
          cut.resolve();
        },
        async *extents(...range) {
          for await (const extent of source.extents(...range)) {
            yield extent;
            await cut.promise;
          }
        },
      };

      const error = await refusedBy(copying(cutting, empty()).copied);

      expect(error.code).toBe('ShortRead');
      expect(error.message).toContain(path);
    },
  );

  it('of the destination that is cut off underneath never passes the read-back', async () => {
    const path = join(await tempDir(), 'destination.img');
    await writeFile(path, '');
    await truncate(path, SIZE_BYTES);
    const destination = await openFileDevice(path, { mode: 'rw', direct: true });
    onTestFinished(() => destination.close());
    const cutting: BlockDevice = {
      ...destination,
      async write(offset, bytes) {
        await destination.write(offset, bytes);
        if (offset === 8 * CHUNK_BYTES) await truncate(path, CHUNK_BYTES);
      },
    };

    const { digest } = await copying(full(), cutting).copied;
    await truncate(path, SIZE_BYTES);
    const fresh = await openFileDevice(path, { mode: 'ro', direct: true });
    onTestFinished(() => fresh.close());

    expect(await readBack(fresh)).not.toBe(digest);
  });
});
