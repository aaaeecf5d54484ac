import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice, ZeroWish } from '../../domain/block-device.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { COMMAND, ERROR, FLAG, type Request } from '../../host-agent/nbd/protocol.ts';
import type { NbdServer } from '../../host-agent/nbd/server.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { insideOf, plainServer, portOf } from './helpers/raw-client.ts';

const MIB = 1024 * 1024;

/** A device that takes discards and wishes about zeroes, and remembers them. `can`: whether it keeps the conditions. */
const obedient = (can: boolean) => {
  const device = memoryDevice(4 * MIB, 0xff);
  const heard: unknown[] = [];
  return {
    ...device,
    heard,
    async trim(offset: number, lengthBytes: number) {
      heard.push(['trim', offset, lengthBytes]);
    },
    async zeroAs(offset: number, lengthBytes: number, wish: ZeroWish) {
      heard.push(['zero', offset, lengthBytes, wish]);
      if (can) await device.writeZeroes(offset, lengthBytes);
      return can;
    },
  };
};

const remoteOf = async (server: NbdServer): Promise<BlockDevice> => {
  const signal = new AbortController().signal;
  const remote = await connectNbd({ host: '127.0.0.1', port: portOf(server), exportName: 'there', signal });
  onTestFinished(() => remote.close());
  return remote;
};

const errorFor = async (device: BlockDevice, flags: number, command: number = COMMAND.WRITE_ZEROES) => {
  const raw = await insideOf(await plainServer(device));
  raw.request({ command, flags, offset: 512, lengthBytes: MIB });
  return (await raw.answer()).error;
};

const zeroedPart = (): Buffer => Buffer.alloc(4 * MIB, 0xff).fill(0, 512, 512 + MIB);

describe('zeroes that must be fast', () => {
  it('are made by a device that can', async () => {
    const device = obedient(true);

    const error = await errorFor(device, FLAG.FAST_ZERO | FLAG.NO_HOLE);

    expect(error).toBe(ERROR.OK);
    expect(device.heard).toEqual([['zero', 512, MIB, { fast: true, allocated: true }]]);
    expect(device.content.equals(zeroedPart())).toBe(true);
  });

  it.each([
    ['cannot', obedient(false)],
    ['does not know', memoryDevice(4 * MIB, 0xff)],
  ])('are refused for a device that %s, which stays as it was', async (_what, device) => {
    const error = await errorFor(device, FLAG.FAST_ZERO);

    expect(error).toBe(ERROR.ENOTSUP);
    expect(device.content.equals(Buffer.alloc(4 * MIB, 0xff))).toBe(true);
  });

  it('tell our client whether they were made', async () => {
    const [able, unable] = [obedient(true), obedient(false)];
    const wish = { fast: true, allocated: false };

    const made = await (await remoteOf(await plainServer(able))).zeroAs?.(512, MIB, wish);
    const notMade = await (await remoteOf(await plainServer(unable))).zeroAs?.(512, MIB, wish);

    expect([made, notMade]).toEqual([true, false]);
    expect(able.content.equals(zeroedPart())).toBe(true);
  });
});

describe('zeroes that must not be holes', () => {
  it.each([
    ['keeps the space', obedient(true)],
    ['does not', obedient(false)],
    ['does not know', memoryDevice(4 * MIB, 0xff)],
  ])('are zeroes on a device that %s', async (_what, device) => {
    const error = await errorFor(device, FLAG.NO_HOLE);

    expect(error).toBe(ERROR.OK);
    expect(device.content.equals(zeroedPart())).toBe(true);
  });

  it('are written where there is no other way', async () => {
    const device = memoryDevice(4 * MIB);
    const remote = await remoteOf(await plainServer(device));

    await remote.zeroAs?.(0, 2 * MIB, { fast: false, allocated: true });

    expect(device.allocatedBlocks()).toBe((2 * MIB) / 4096);
  });
});

describe('a discard', () => {
  it('reaches the device, in pieces that a request may have', async () => {
    const device = obedient(true);
    const remote = await remoteOf(await plainServer({ ...device, sizeBytes: 5 * 1024 * MIB }));

    await remote.trim?.(1024, 1024 * MIB + 1);

    expect(device.heard).toEqual([
      ['trim', 1024, 1024 * MIB],
      ['trim', 1024 + 1024 * MIB, 1],
    ]);
  });

  it('is not offered by a client whose server has none, and refused by a server whose device has none', async () => {
    const server = await plainServer(memoryDevice(4 * MIB));

    expect((await remoteOf(server)).trim).toBeUndefined();
    expect(await errorFor(memoryDevice(4 * MIB), 0, COMMAND.TRIM)).toBe(ERROR.EINVAL);
  });

  it('beyond the end or of a read-only export is refused', async () => {
    const device = obedient(true);
    const reading = await plainServer(device, { resolveExport: async () => ({ device, readOnly: true }) });
    const [raw, readOnly] = [await insideOf(await plainServer(device)), await insideOf(reading)];

    raw.request({ command: COMMAND.TRIM, offset: 4 * MIB - 1, lengthBytes: 2 });
    readOnly.request({ command: COMMAND.TRIM, lengthBytes: 2 });

    expect([(await raw.answer()).error, (await readOnly.answer()).error]).toEqual([ERROR.EINVAL, ERROR.EPERM]);
    expect(device.heard).toEqual([]);
  });
});

describe('durability', () => {
  it.each<[string, Partial<Request>, Buffer | undefined]>([
    ['write', { command: COMMAND.WRITE, lengthBytes: 4 }, Buffer.alloc(4)],
    ['zeroes', { command: COMMAND.WRITE_ZEROES, lengthBytes: 4 }, undefined],
    ['zeroes that are no holes', { command: COMMAND.WRITE_ZEROES, flags: FLAG.NO_HOLE, lengthBytes: 4 }, undefined],
    ['discard', { command: COMMAND.TRIM, lengthBytes: 4 }, undefined],
  ])('of a %s with FUA comes before its answer', async (_what, request, payload) => {
    const device = memoryDevice(MIB, 0xff);
    const trim = (offset: number, lengthBytes: number) => device.writeZeroes(offset, lengthBytes);
    const raw = await insideOf(await plainServer({ ...device, trim }));

    raw.request({ ...request, flags: FLAG.FUA | (request.flags ?? 0) }, payload);
    await raw.answer();

    expect(device.durable().subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 0xff]));
  });

  it('of what was answered on one connection comes with a flush on another', async () => {
    const device = memoryDevice(MIB);
    const server = await plainServer(device);
    const [writer, flusher] = [await remoteOf(server), await remoteOf(server)];

    await writer.write(5, Buffer.from('data'));
    const before = device.durable().toString('latin1', 5, 9);
    await flusher.flush();

    expect(before).toBe('\0\0\0\0');
    expect(device.durable().toString('latin1', 5, 9)).toBe('data');
  });
});
