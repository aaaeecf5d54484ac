import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  COMMAND,
  ERROR,
  encodeOption,
  encodeRequest,
  HANDSHAKE,
  MAX_OPTION_BYTES,
  MAX_REQUEST_BYTES,
  OPTION,
  REPLY,
  type Request,
} from '../../host-agent/nbd/protocol.ts';
import { createReader, type Reader } from '../../host-agent/nbd/reader.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { CLIENT, EXPORT, type NbdRig, nbdRig } from './helpers/nbd-rig.ts';

/** Clients that do not keep to the protocol: they lose their own connection, and nobody notices. */
const MIB = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

const hello = (): Buffer => {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES);
  return flags;
};

const goTo = (name: string): Buffer => {
  const bytes = Buffer.from(name);
  const data = Buffer.alloc(4 + bytes.length + 2);
  data.writeUInt32BE(bytes.length, 0);
  bytes.copy(data, 4);
  return data;
};

const replyKind = async (reader: Reader): Promise<number> => {
  const head = await reader.take(20);
  await reader.take(head.readUInt32BE(16));
  return head.readUInt32BE(12);
};

const ended = (socket: Socket): Promise<'ended'> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve('ended');
    socket.once('close', () => resolve('ended'));
    socket.resume();
  });

/** Everything that a server says to what it is sent, until it ends the connection. */
const saidTo = async (rig: NbdRig, ...parts: Buffer[]): Promise<Buffer> => {
  const socket = rig.socket();
  const said: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => said.push(bytes));
  const over = ended(socket);
  for (const part of parts) socket.write(part);
  socket.end();
  await over;
  return Buffer.concat(said);
};

/** Comes as far as TLS, with a certificate that is admitted. */
const secured = async (rig: NbdRig): Promise<{ socket: TLSSocket; reader: Reader }> => {
  const raw = rig.socket();
  const plain = createReader(raw);
  await plain.take(18);
  raw.write(hello());
  raw.write(encodeOption(OPTION.STARTTLS, NOTHING));
  expect(await replyKind(plain)).toBe(REPLY.ACK);
  plain.detach();
  const socket = connectTls({ socket: raw, key: CLIENT.keyPem, cert: CLIENT.certPem, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return { socket, reader: createReader(socket) };
};

/** Comes as far as requests. */
const inside = async (rig: NbdRig): Promise<{ socket: TLSSocket; reader: Reader }> => {
  const entered = await secured(rig);
  entered.socket.write(encodeOption(OPTION.GO, goTo(EXPORT)));
  while ((await replyKind(entered.reader)) !== REPLY.ACK);
  return entered;
};

const aRequest = (change: Partial<Request>): Buffer =>
  encodeRequest({ flags: 0, command: COMMAND.READ, cookie: 1n, offset: 0, lengthBytes: 1, ...change });

const errorOf = async (reader: Reader): Promise<number> => (await reader.take(16)).readUInt32BE(4);

/** The server is as it was: a client is served, and no byte of the device has changed. */
const isUnharmed = async (rig: NbdRig, device: MemoryDevice, before: Buffer): Promise<void> => {
  const remote = await rig.client();
  const target = Buffer.alloc(16);
  await remote.read(0, target);
  expect(target.equals(before.subarray(0, 16))).toBe(true);
  expect(device.content.equals(before)).toBe(true);
};

const filled = (): { device: MemoryDevice; before: Buffer } => {
  const device = memoryDevice(MIB, 0xa5);
  return { device, before: Buffer.from(device.content) };
};

describe('before TLS', () => {
  it('every option but STARTTLS and ABORT is answered with "TLS is required", and no export is looked up', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);

    const socket = rig.socket();
    const reader = createReader(socket);
    await reader.take(18);
    socket.write(hello());
    const kinds: number[] = [];
    for (const option of [OPTION.GO, OPTION.INFO, OPTION.LIST, 99]) {
      socket.write(encodeOption(option, goTo(EXPORT)));
      kinds.push(await replyKind(reader));
    }

    expect(kinds).toEqual(Array.from({ length: 4 }, () => REPLY.ERR_TLS_REQD));
    expect(rig.asked).toEqual([]);
    await isUnharmed(rig, device, before);
  });

  it('an export by its name alone ends the connection without a word', async () => {
    const { device } = filled();
    const rig = await nbdRig(device);

    const said = await saidTo(rig, hello(), encodeOption(OPTION.EXPORT_NAME, Buffer.from(EXPORT)));

    expect(said.length).toBe(18);
    expect(rig.asked).toEqual([]);
  });

  it('options that were smuggled in behind STARTTLS are not taken for what TLS protects', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);

    await saidTo(rig, hello(), encodeOption(OPTION.STARTTLS, NOTHING), encodeOption(OPTION.GO, goTo(EXPORT)));

    expect(rig.asked).toEqual([]);
    await isUnharmed(rig, device, before);
  });

  it('a client without fixed newstyle, with a wrong magic or an endless option is let go', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const long = encodeOption(OPTION.GO, Buffer.alloc(16));
    long.writeUInt32BE(MAX_OPTION_BYTES + 1, 12);
    const magic = encodeOption(OPTION.GO, NOTHING).fill(0, 0, 8);

    const said = await Promise.all([
      saidTo(rig, Buffer.alloc(4)),
      saidTo(rig, hello(), long),
      saidTo(rig, hello(), magic),
      saidTo(rig, Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    ]);

    expect(said.map((bytes) => bytes.length)).toEqual([18, 18, 18, 18]);
    await isUnharmed(rig, device, before);
  });
});

describe('after TLS', () => {
  it('no list of exports is given, and a malformed or unknown option is refused without an end', async () => {
    const { device } = filled();
    const { socket, reader } = await secured(await nbdRig(device));
    const tooLong = goTo(EXPORT);
    tooLong.writeUInt32BE(5_000, 0);
    const kinds: number[] = [];

    for (const [option, data] of [
      [OPTION.LIST, NOTHING],
      [OPTION.GO, Buffer.alloc(3)],
      [OPTION.GO, tooLong],
      [77, NOTHING],
      [OPTION.STARTTLS, NOTHING],
    ] as const) {
      socket.write(encodeOption(option, data));
      kinds.push(await replyKind(reader));
    }

    expect(kinds).toEqual([REPLY.ERR_POLICY, REPLY.ERR_INVALID, REPLY.ERR_INVALID, REPLY.ERR_UNSUP, REPLY.ERR_INVALID]);
  });

  it('INFO tells the size and lets nobody in', async () => {
    const { device } = filled();
    const { socket, reader } = await secured(await nbdRig(device));

    socket.write(encodeOption(OPTION.INFO, goTo(EXPORT)));
    const info = await reader.take(20 + 12);
    while ((await replyKind(reader)) !== REPLY.ACK);
    socket.write(encodeOption(OPTION.ABORT, NOTHING));

    expect(info.readBigUInt64BE(22)).toBe(BigInt(MIB));
    expect(await replyKind(reader)).toBe(REPLY.ACK);
    expect(await ended(socket)).toBe('ended');
  });

  it('a request that is out of range, too large to read or unknown is answered with its error, and the next is served', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const { socket, reader } = await inside(rig);
    const errors: number[] = [];

    for (const [change, payload] of [
      [{ command: COMMAND.READ, offset: MIB - 1, lengthBytes: 2 }, NOTHING],
      [{ command: COMMAND.WRITE, offset: MIB - 1, lengthBytes: 2 }, Buffer.from('xy')],
      [{ command: COMMAND.WRITE_ZEROES, offset: Number.MAX_SAFE_INTEGER, lengthBytes: 0xffffffff }, NOTHING],
      [{ command: COMMAND.READ, lengthBytes: MAX_REQUEST_BYTES + 1 }, NOTHING],
      [{ command: 4, lengthBytes: 4096 }, NOTHING],
      [{ command: 200 }, NOTHING],
    ] as const) {
      socket.write(aRequest(change));
      socket.write(payload);
      errors.push(await errorOf(reader));
    }
    socket.write(aRequest({ lengthBytes: 4 }));

    expect(errors).toEqual([ERROR.EINVAL, ERROR.ENOSPC, ERROR.ENOSPC, ERROR.EINVAL, ERROR.EINVAL, ERROR.EINVAL]);
    expect(await errorOf(reader)).toBe(ERROR.OK);
    expect(await reader.take(4)).toEqual(Buffer.alloc(4, 0xa5));
    await isUnharmed(rig, device, before);
  });

  it('an offset of 64 bits is never folded into the device', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const { socket, reader } = await inside(rig);
    const head = aRequest({ command: COMMAND.WRITE, lengthBytes: 2 });
    head.writeBigUInt64BE(2n ** 64n - 1n, 16);

    socket.write(head);
    socket.write(Buffer.from('xy'));

    expect(await errorOf(reader)).toBe(ERROR.ENOSPC);
    await isUnharmed(rig, device, before);
  });

  it('a write that is larger than may be ends the connection before its payload is held in memory', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const { socket } = await inside(rig);

    socket.write(aRequest({ command: COMMAND.WRITE, lengthBytes: MAX_REQUEST_BYTES + 1 }));

    expect(await ended(socket)).toBe('ended');
    await isUnharmed(rig, device, before);
  });

  it('a write whose payload never comes whole writes nothing', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const { socket } = await inside(rig);

    socket.write(aRequest({ command: COMMAND.WRITE, lengthBytes: 4096 }));
    socket.end(Buffer.alloc(4095));

    expect(await ended(socket)).toBe('ended');
    await isUnharmed(rig, device, before);
  });
});

describe('random bytes', () => {
  it('in place of the handshake, before or behind a good beginning, harm nobody', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);
    const beginnings = [NOTHING, hello(), Buffer.concat([hello(), encodeOption(OPTION.STARTTLS, NOTHING)])];

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 600 }), async (beginning, noise) => {
        await saidTo(rig, beginning, Buffer.from(noise));
      }),
      { numRuns: 140 },
    );

    expect(rig.asked).toEqual([]);
    await isUnharmed(rig, device, before);
  });

  it('in place of requests change at most what a well-formed write among them says', async () => {
    const { device, before } = filled();
    const rig = await nbdRig(device);

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 28, maxLength: 300 }), async (noise) => {
        const { socket } = await inside(rig);
        socket.end(Buffer.from(noise));
        await ended(socket);
      }),
      { numRuns: 40 },
    );

    await isUnharmed(rig, device, before);
  });

  it('behind a good magic number never write outside of the device', async () => {
    const { device } = filled();
    let outside = 0;
    const check = (offset: number, length: number): void => {
      if (offset < 0 || offset + length > MIB) outside += 1;
    };
    const rig = await nbdRig({
      ...device,
      write: async (offset, source) => check(offset, source.length),
      writeZeroes: async (offset, length) => check(offset, length),
      read: async (offset, target) => check(offset, target.length),
    });
    const edges = fc.constantFrom(0, 1, MIB - 1, MIB, MIB + 1, 2 ** 32, Number.MAX_SAFE_INTEGER);
    const lengths = fc.constantFrom(0, 1, 512, MIB, MIB + 1, 2 ** 31, 2 ** 32 - 1);

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 8 }), edges, lengths, fc.nat({ max: 0xffff })), { minLength: 1, maxLength: 6 }),
        async (requests) => {
          const { socket } = await inside(rig);
          for (const [command, offset, lengthBytes, flags] of requests)
            socket.write(aRequest({ command, offset, lengthBytes, flags }));
          socket.end(aRequest({ command: COMMAND.DISC }));
          await ended(socket);
        },
      ),
      { numRuns: 40 },
    );

    expect(outside).toBe(0);
    const remote = await rig.client();
    await remote.flush();
  });
});
