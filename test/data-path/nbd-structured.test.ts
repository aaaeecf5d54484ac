import { describe, expect, it } from 'vitest';
import { CHUNK, DONE } from '../../host-agent/nbd/chunk.ts';
import { encodeGo } from '../../host-agent/nbd/export-info.ts';
import { COMMAND, ERROR, FLAG, MAX_REQUEST_BYTES, OPTION, REPLY, TRANSMISSION } from '../../host-agent/nbd/protocol.ts';
import { faultyDevice } from './helpers/faulty-device.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { plainServer, portOf, type RawClient, rawClient } from './helpers/raw-client.ts';
import { allocationOf, errorOf, nextReply, structuredInside } from './helpers/raw-structured.ts';

const MIB = 1024 * 1024;

const asked = async (raw: RawClient, option: number, data: Buffer): Promise<number[]> => {
  const kinds: number[] = [];
  for (let reply = await raw.option(option, data); ; ) {
    kinds.push(reply.kind);
    if (reply.kind !== REPLY.META_CONTEXT && reply.kind !== REPLY.INFO) return kinds;
    const head = await raw.reader.take(20);
    reply = { kind: head.readUInt32BE(12), data: await raw.reader.take(head.readUInt32BE(16)) };
  }
};

describe('structured replies', () => {
  it('answer a read in one chunk that is the last one, with or without DF', async () => {
    const raw = await structuredInside(await plainServer(memoryDevice(MIB, 7)));

    raw.request({ command: COMMAND.READ, cookie: 3n, offset: 10, lengthBytes: 5 });
    raw.request({ command: COMMAND.READ, cookie: 4n, flags: FLAG.DF | FLAG.FUA, offset: 11, lengthBytes: 4 });

    const [first, second] = [await nextReply(raw), await nextReply(raw)];
    expect(first).toMatchObject({ type: CHUNK.OFFSET_DATA, flags: DONE, cookie: 3n });
    expect(first).toHaveProperty('body', Buffer.from([0, 0, 0, 0, 0, 0, 0, 10, 7, 7, 7, 7, 7]));
    expect(second).toHaveProperty('body', Buffer.from([0, 0, 0, 0, 0, 0, 0, 11, 7, 7, 7, 7]));
  });

  it('answer a read of nothing with an empty chunk', async () => {
    const raw = await structuredInside(await plainServer(memoryDevice(MIB)));

    raw.request({ command: COMMAND.READ, cookie: 1n });

    expect(await nextReply(raw)).toMatchObject({ type: CHUNK.NONE, flags: DONE, body: Buffer.alloc(0) });
  });

  it('stay simple where there is no payload', async () => {
    const device = { ...memoryDevice(MIB), trim: async () => undefined };
    const raw = await structuredInside(await plainServer(device));

    raw.request({ command: COMMAND.WRITE, cookie: 1n, lengthBytes: 4 }, Buffer.from('data'));
    raw.request({ command: COMMAND.WRITE_ZEROES, cookie: 2n, lengthBytes: 4 });
    raw.request({ command: COMMAND.TRIM, cookie: 3n, lengthBytes: 4 });
    raw.request({ command: COMMAND.FLUSH, cookie: 4n });

    const replies = [await nextReply(raw), await nextReply(raw), await nextReply(raw), await nextReply(raw)];
    for (const reply of replies) expect(reply).toMatchObject({ kind: 'simple', error: ERROR.OK });
    expect(new Set(replies.map(({ cookie }) => cookie))).toEqual(new Set([1n, 2n, 3n, 4n]));
  });

  it('say in words what was wrong, and never where on this host the data lies', async () => {
    const raw = await structuredInside(
      await plainServer(faultyDevice(memoryDevice(MIB), { failRead: 1, failWrite: 1 })),
    );
    const errors: { error: number; text: string }[] = [];

    for (const [request, payload] of [
      [{ command: COMMAND.READ, lengthBytes: 1 }],
      [{ command: COMMAND.WRITE, lengthBytes: 1 }, Buffer.from('x')],
      [{ command: COMMAND.READ, offset: MIB, lengthBytes: 1 }],
      [{ command: COMMAND.READ, lengthBytes: MAX_REQUEST_BYTES + 1 }],
      [{ command: COMMAND.READ, flags: FLAG.REQ_ONE, lengthBytes: 1 }],
      [{ command: 5, lengthBytes: 1 }],
    ] as const) {
      raw.request(request, payload);
      const reply = await nextReply(raw);
      expect(reply).toMatchObject({ type: CHUNK.ERROR, flags: DONE });
      errors.push(errorOf(reply));
    }

    expect(errors.map(({ error }) => error)).toEqual([
      ERROR.EIO,
      ERROR.EIO,
      ERROR.EINVAL,
      // beyond the end comes first
      ERROR.EINVAL,
      ERROR.EINVAL,
      ERROR.EINVAL,
    ]);
    expect(errors.map(({ text }) => text)).toEqual([
      expect.stringContaining('IoError'),
      expect.stringContaining('IoError'),
      expect.stringContaining('beyond the end'),
      expect.stringContaining('beyond the end'),
      expect.stringContaining('flags'),
      expect.stringContaining('not served'),
    ]);
  });

  it('refuse a read that is too large by its own error', async () => {
    const device = { ...memoryDevice(MIB), sizeBytes: 64 * MIB };
    const raw = await structuredInside(await plainServer(device));

    raw.request({ command: COMMAND.READ, lengthBytes: MAX_REQUEST_BYTES + 1 });

    expect(errorOf(await nextReply(raw)).error).toBe(ERROR.EOVERFLOW);
  });
});

describe('what the server says that it can do', () => {
  const always = TRANSMISSION.HAS_FLAGS | TRANSMISSION.SEND_FLUSH | TRANSMISSION.SEND_FUA | TRANSMISSION.CAN_MULTI_CONN;
  const zeroes = TRANSMISSION.SEND_WRITE_ZEROES | TRANSMISSION.SEND_FAST_ZERO;
  const trimmed = { ...memoryDevice(MIB), trim: async () => undefined };

  it.each([
    ['a device', memoryDevice(MIB), false, always | zeroes],
    ['a device with a discard', trimmed, false, always | zeroes | TRANSMISSION.SEND_TRIM],
    ['a device that is only read', trimmed, true, always | TRANSMISSION.READ_ONLY],
  ])('follows %s, and DF comes with structured replies only', async (_what, device, readOnly, flags) => {
    const server = await plainServer(device, { resolveExport: async () => ({ device, readOnly }) });
    const plain = await rawClient(portOf(server));
    const info = await plain.option(OPTION.INFO, encodeGo('there'));

    const { flags: structured } = await structuredInside(server);

    expect(info.data.readUInt16BE(10)).toBe(flags);
    expect(structured).toBe(flags | TRANSMISSION.SEND_DF);
  });

  it('has a name and a description for whoever asks for them, and for nobody else', async () => {
    const server = await plainServer(memoryDevice(MIB));
    const raw = await rawClient(portOf(server));
    const goFor = (...infos: number[]): Buffer =>
      Buffer.concat([
        Buffer.from([0, 0, 0, 5]),
        Buffer.from('there'),
        Buffer.from([0, infos.length]),
        ...infos.map((info) => Buffer.from([0, info])),
      ]);

    const counts = [
      await asked(raw, OPTION.INFO, goFor()),
      await asked(raw, OPTION.INFO, goFor(1)),
      await asked(raw, OPTION.INFO, goFor(1, 2, 99)),
    ].map((kinds) => kinds.length);

    // the size, the block sizes, and the end
    expect(counts).toEqual([3, 4, 5]);
  });
});

describe('the negotiation of metadata', () => {
  it('comes behind structured replies, and is refused before', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB))));

    const early = await asked(raw, OPTION.SET_META_CONTEXT, allocationOf('there'));
    const withData = await asked(raw, OPTION.STRUCTURED_REPLY, Buffer.from('x'));
    const still = await asked(raw, OPTION.LIST_META_CONTEXT, allocationOf('there', []));
    await raw.option(OPTION.STRUCTURED_REPLY);
    const now = await asked(raw, OPTION.SET_META_CONTEXT, allocationOf('there'));

    expect([early, withData, still]).toEqual([[REPLY.ERR_INVALID], [REPLY.ERR_INVALID], [REPLY.ERR_INVALID]]);
    expect(now).toEqual([REPLY.META_CONTEXT, REPLY.ACK]);
  });

  it('lists and sets what is asked for by its name, and ignores what nobody knows', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB))));
    await raw.option(OPTION.STRUCTURED_REPLY);
    const found = async (option: number, ...queries: string[]): Promise<number> =>
      (await asked(raw, option, allocationOf('there', queries))).length - 1;

    const listed = [
      await found(OPTION.LIST_META_CONTEXT),
      await found(OPTION.LIST_META_CONTEXT, 'base:'),
      await found(OPTION.LIST_META_CONTEXT, 'base:allocation', 'qemu:allocation-depth'),
      await found(OPTION.LIST_META_CONTEXT, 'base:other', 'qemu:', 'nonsense', ''),
    ];
    const set = [
      await found(OPTION.SET_META_CONTEXT),
      await found(OPTION.SET_META_CONTEXT, 'base:'),
      await found(OPTION.SET_META_CONTEXT, 'qemu:dirty-bitmap:x', 'base:allocation', 'base:allocation'),
      await found(OPTION.SET_META_CONTEXT, 'base:allocatio'),
    ];

    expect(listed).toEqual([1, 1, 1, 0]);
    expect(set).toEqual([0, 0, 1, 0]);
  });

  it('refuses what is malformed, and takes back what was set before', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB))));
    await raw.option(OPTION.STRUCTURED_REPLY);
    const good = allocationOf('there');
    const manyQueries = Buffer.from(good).fill(0xff, 9, 13);

    const kinds: (number | undefined)[] = [];
    for (const data of [Buffer.alloc(0), good.subarray(0, -1), Buffer.concat([good, Buffer.from('x')]), manyQueries])
      kinds.push((await asked(raw, OPTION.SET_META_CONTEXT, data)).at(-1));
    kinds.push((await asked(raw, OPTION.SET_META_CONTEXT, allocationOf('n'.repeat(4097)))).at(-1));
    await asked(raw, OPTION.SET_META_CONTEXT, good);
    await asked(raw, OPTION.SET_META_CONTEXT, Buffer.alloc(0));
    await asked(raw, OPTION.GO, encodeGo('there'));
    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: MIB });

    expect(kinds).toEqual([...Array.from({ length: 4 }, () => REPLY.ERR_INVALID), REPLY.ERR_TOO_BIG]);
    expect(errorOf(await nextReply(raw)).error).toBe(ERROR.EINVAL);
  });

  it('holds for the export that it was made for, and opens none', async () => {
    const device = memoryDevice(MIB);
    const names: string[] = [];
    const server = await plainServer(device, {
      async resolveExport(name) {
        names.push(name);
        return { device, readOnly: false };
      },
    });
    const raw = await rawClient(portOf(server));
    await raw.option(OPTION.STRUCTURED_REPLY);

    await asked(raw, OPTION.SET_META_CONTEXT, allocationOf('elsewhere'));
    const namesBefore = [...names];
    await asked(raw, OPTION.GO, encodeGo('there'));
    raw.request({ command: COMMAND.BLOCK_STATUS, lengthBytes: MIB });

    expect(namesBefore).toEqual([]);
    expect(errorOf(await nextReply(raw)).error).toBe(ERROR.EINVAL);
  });
});
