import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDigest } from '../../host-agent/digest/digest.ts';
import { createNoDigest, NO_LEAF } from '../../host-agent/digest/no-digest.ts';
import { copying } from './helpers/copying.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { thrownBy } from './helpers/thrown.ts';

const MIB = 1024 * 1024;

describe('a copy without a digest', () => {
  it('moves every byte, and claims no proof', async () => {
    const source = memoryDevice(3 * MIB + 4096);
    const destination = memoryDevice(3 * MIB + 4096);
    const content = randomBytes(2 * MIB);
    await source.write(MIB, content);

    const copied = await copying(source, destination, { digest: false }).copied;

    expect(copied.digest).toBeNull();
    expect(destination.content.equals(source.content)).toBe(true);
  });

  it('goes on from a checkpoint of its own', async () => {
    const source = memoryDevice(6 * MIB);
    await source.write(0, randomBytes(6 * MIB));
    const first = copying(source, memoryDevice(6 * MIB), { digest: false });
    await first.copied;
    const checkpoint = first.checkpoints.find(({ settledBytes }) => settledBytes > 0 && settledBytes < 6 * MIB);
    if (!checkpoint) throw new Error('there was no checkpoint in the middle');

    const second = await copying(source, memoryDevice(6 * MIB), { digest: false, checkpoint }).copied;

    expect(second.bytes.read).toBe(6 * MIB - checkpoint.settledBytes);
  });

  it('neither goes on from a digest nor lets a digest go on from it', async () => {
    const none = createNoDigest(2 * MIB);
    none.chunk(NO_LEAF);

    const backward = await thrownBy(Promise.resolve().then(() => createDigest(2 * MIB, none.state())));
    const forward = await thrownBy(
      Promise.resolve().then(() => createNoDigest(2 * MIB, createDigest(2 * MIB).state())),
    );

    expect(backward).toMatchObject({ code: 'CheckpointMismatch' });
    expect(forward).toMatchObject({ code: 'CheckpointMismatch' });
  });
});
