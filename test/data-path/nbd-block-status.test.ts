import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { COMMAND, ERROR, FLAG } from '../../host-agent/nbd/protocol.ts';
import { endless } from './helpers/endless.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { descriptorsOf, errorOf, nextReply, structuredInside } from './helpers/raw-structured.ts';
import { thrownBy } from './helpers/thrown.ts';

const MIB = 1024 * 1024;
const TIB = 1024 ** 4;
const HOLE = 3;
const DATA = 0;

const sparse = async (): Promise<BlockDevice> => {
  const device = memoryDevice(5 * MIB);
  await device.write(MIB, Buffer.alloc(MIB, 1));
  await device.write(3 * MIB, Buffer.alloc(4096, 1));
  return device;
};

/** Data and holes of 4 KiB in turn, without end; counts how many were looked at. */
const striped = (sizeBytes: number) => {
  const looked = { extents: 0 };
  const device: BlockDevice = {
    ...endless(sizeBytes),
    async *extents(offset, lengthBytes): AsyncGenerator<Extent> {
      for (let at = offset; at < offset + lengthBytes; ) {
        const next = Math.min(offset + lengthBytes, (Math.floor(at / 4096) + 1) * 4096);
        looked.extents += 1;
        yield { offset: at, lengthBytes: next - at, kind: Math.floor(at / 4096) % 2 === 0 ? 'data' : 'hole' };
        at = next;
      }
    },
  };
  return { device, looked };
};

const remoteOf = async (device: BlockDevice, mapped?: boolean): Promise<BlockDevice> => {
  const remote = await connectNbd({
    host: '127.0.0.1',
    port: portOf(await plainServer(device)),
    exportName: 'there',
    signal: new AbortController().signal,
    ...(mapped !== undefined && { mapped }),
  });
  onTestFinished(() => remote.close());
  return remote;
};

describe('the status of blocks', () => {
  it('names holes and data of the range, and nothing beyond it', async () => {
    const raw = await structuredInside(await plainServer(await sparse()));

    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: 5 * MIB });
    const all = descriptorsOf(await nextReply(raw));
    raw.request({ command: COMMAND.BLOCK_STATUS, offset: MIB + 512, lengthBytes: 2 * MIB });
    const part = descriptorsOf(await nextReply(raw));

    expect(all).toEqual([
      [MIB, HOLE],
      [MIB, DATA],
      [MIB, HOLE],
      [4096, DATA],
      [2 * MIB - 4096, HOLE],
    ]);
    expect(part).toEqual([
      [MIB - 512, DATA],
      [MIB, HOLE],
      [512, DATA],
    ]);
  });

  it('of one block is one descriptor, within the range', async () => {
    const raw = await structuredInside(await plainServer(await sparse()));

    raw.request({ command: COMMAND.BLOCK_STATUS, flags: FLAG.REQ_ONE, offset: MIB, lengthBytes: 3 * MIB });
    const first = descriptorsOf(await nextReply(raw));
    raw.request({ command: COMMAND.BLOCK_STATUS, flags: FLAG.REQ_ONE, offset: MIB, lengthBytes: 10 });
    const second = descriptorsOf(await nextReply(raw));

    expect(first).toEqual([[MIB, DATA]]);
    expect(second).toEqual([[10, DATA]]);
  });

  it('is cut short when there is very much to tell, without looking at the rest', async () => {
    const { device, looked } = striped(TIB);
    const raw = await structuredInside(await plainServer(device));

    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: 2 ** 32 - 4096 });
    const many = descriptorsOf(await nextReply(raw));
    const lookedForMany = looked.extents;
    raw.request({ command: COMMAND.BLOCK_STATUS, flags: FLAG.REQ_ONE, lengthBytes: 2 ** 32 - 4096 });
    const one = descriptorsOf(await nextReply(raw));

    expect(many.length).toBe(4096);
    expect(lookedForMany).toBe(4096);
    expect(one).toEqual([[4096, DATA]]);
    expect(looked.extents - lookedForMany).toBe(2);
  });

  it('is data where a device tells nothing', async () => {
    const raw = await structuredInside(await plainServer({ ...memoryDevice(MIB), async *extents() {} }));

    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: MIB });

    expect(descriptorsOf(await nextReply(raw))).toEqual([[MIB, DATA]]);
  });

  it('of nothing, beyond the end, or with an unknown flag is refused; a failure is told', async () => {
    let failing = false;
    const device = memoryDevice(MIB);
    const raw = await structuredInside(
      await plainServer({
        ...device,
        extents: (offset, length) => {
          if (failing) throw new Error('the map is broken');
          return device.extents(offset, length);
        },
      }),
    );
    const errors: number[] = [];

    for (const request of [
      { lengthBytes: 0 },
      { offset: MIB, lengthBytes: 1 },
      { lengthBytes: MIB + 1 },
      { lengthBytes: 1, flags: FLAG.DF },
    ]) {
      raw.request({ command: COMMAND.BLOCK_STATUS, ...request });
      errors.push(errorOf(await nextReply(raw)).error);
    }
    failing = true;
    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: 1 });
    errors.push(errorOf(await nextReply(raw)).error);

    expect(errors).toEqual([ERROR.EINVAL, ERROR.EINVAL, ERROR.EINVAL, ERROR.EINVAL, ERROR.EIO]);
  });
});

describe('the extents of an export', () => {
  it('are those of the device, also from the middle', async () => {
    const remote = await remoteOf(await sparse());

    expect(await Array.fromAsync(remote.extents(0, 5 * MIB))).toEqual([
      { offset: 0, lengthBytes: MIB, kind: 'hole' },
      { offset: MIB, lengthBytes: MIB, kind: 'data' },
      { offset: 2 * MIB, lengthBytes: MIB, kind: 'hole' },
      { offset: 3 * MIB, lengthBytes: 4096, kind: 'data' },
      { offset: 3 * MIB + 4096, lengthBytes: 2 * MIB - 4096, kind: 'hole' },
    ]);
    expect(await Array.fromAsync(remote.extents(MIB + 1, 2 * MIB))).toEqual([
      { offset: MIB + 1, lengthBytes: MIB - 1, kind: 'data' },
      { offset: 2 * MIB, lengthBytes: MIB, kind: 'hole' },
      { offset: 3 * MIB, lengthBytes: 1, kind: 'data' },
    ]);
    expect(await Array.fromAsync(remote.extents(MIB, 0))).toEqual([]);
  });

  it.each(['data', 'hole'] as const)('of 64 TiB of %s are streamed without a gap', async (kind) => {
    const remote = await remoteOf(endless(64 * TIB, kind));
    let at = 0;

    for await (const extent of remote.extents(0, 64 * TIB)) {
      expect(extent).toMatchObject({ offset: at, kind });
      at += extent.lengthBytes;
    }

    expect(at).toBe(64 * TIB);
  });

  it('are asked for as the caller goes on, not before', async () => {
    const { device, looked } = striped(64 * TIB);
    const remote = await remoteOf(device);
    let seen = 0;

    for await (const _ of remote.extents(0, 64 * TIB)) if (++seen === 10_000) break;

    expect(looked.extents).toBe(3 * 4096);
  });

  it('are one of data for a client that did not ask to be told', async () => {
    const remote = await remoteOf(await sparse(), false);

    expect(await Array.fromAsync(remote.extents(7, MIB))).toEqual([{ offset: 7, lengthBytes: MIB, kind: 'data' }]);
  });

  it('end with the reason of a caller that gives up', async () => {
    const remote = await remoteOf(await sparse());
    const signal = AbortSignal.abort(new Error('given up'));

    expect((await thrownBy(Array.fromAsync(remote.extents(0, MIB, signal)))).message).toBe('given up');
  });
});
