import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { COMMAND, ERROR, encodeOption, FLAG, OPTION, REPLY } from '../../host-agent/nbd/protocol.ts';
import { faultyDevice } from './helpers/faulty-device.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { insideOf, plainServer, portOf, rawClient } from './helpers/raw-client.ts';
import { thrownBy } from './helpers/thrown.ts';
import { deferred, until } from './helpers/until.ts';

const MIB = 1024 * 1024;

const goTo = (name: string): Buffer => {
  const data = Buffer.alloc(4 + name.length + 2);
  data.writeUInt32BE(name.length);
  data.write(name, 4);
  return data;
};

describe('a server without TLS', () => {
  it('refuses to begin TLS, names that are too long or not there, and goes on', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB))));

    const kinds = [
      (await raw.option(OPTION.STARTTLS)).kind,
      (await raw.option(OPTION.GO, goTo('n'.repeat(4097)))).kind,
      (await raw.option(OPTION.GO, goTo('elsewhere'))).kind,
      (await raw.option(OPTION.INFO, goTo('there'))).kind,
    ];

    expect(kinds).toEqual([REPLY.ERR_POLICY, REPLY.ERR_TOO_BIG, REPLY.ERR_POLICY, REPLY.INFO]);
  });

  it('lets the oldest clients in by EXPORT_NAME, with the padding that they expect', async () => {
    const server = await plainServer(memoryDevice(MIB));
    const [old, newer] = [await rawClient(portOf(server), 1), await rawClient(portOf(server), 3)];

    for (const raw of [old, newer]) raw.socket.write(encodeOption(OPTION.EXPORT_NAME, Buffer.from('there')));
    const padded = await old.reader.take(10 + 124);
    const bare = await newer.reader.take(10);
    newer.request({ command: COMMAND.FLUSH, cookie: 7n });

    expect(padded.subarray(0, 10)).toEqual(bare);
    expect(bare.readBigUInt64BE(0)).toBe(BigInt(MIB));
    expect(await newer.answer()).toEqual({ error: ERROR.OK, cookie: 7n });
  });

  it('ends the connection of whoever asks by EXPORT_NAME for what is not there', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB))));

    raw.socket.write(encodeOption(OPTION.EXPORT_NAME, Buffer.from('elsewhere')));

    await expect(raw.ended).resolves.toBeUndefined();
  });

  it('lets go of a client that does not come to the point', async () => {
    const raw = await rawClient(portOf(await plainServer(memoryDevice(MIB), { negotiationMs: 50 })));

    await expect(raw.ended).resolves.toBeUndefined();
  });
});

describe('a request', () => {
  it('with a flag that nobody knows is refused, its payload swallowed, and the next one served', async () => {
    const device = memoryDevice(MIB);
    const raw = await insideOf(await plainServer(device));

    raw.request({ command: COMMAND.WRITE, flags: 1 << 9, cookie: 1n, lengthBytes: 3 }, Buffer.from('bad'));
    raw.request({ command: COMMAND.WRITE, cookie: 2n, lengthBytes: 4 }, Buffer.from('good'));

    expect([await raw.answer(), await raw.answer()]).toEqual([
      { error: ERROR.EINVAL, cookie: 1n },
      { error: ERROR.OK, cookie: 2n },
    ]);
    expect(device.content.toString('latin1', 0, 4)).toBe('good');
  });

  it('with FUA is durable when it is answered', async () => {
    const device = memoryDevice(MIB);
    const raw = await insideOf(await plainServer(device));

    raw.request({ command: COMMAND.WRITE, flags: FLAG.FUA, offset: 10, lengthBytes: 4 }, Buffer.from('data'));
    await raw.answer();

    expect(device.durable().toString('latin1', 10, 14)).toBe('data');
  });

  it('for zeroes that must not be holes takes up the space', async () => {
    const device = memoryDevice(4 * MIB);
    const raw = await insideOf(await plainServer(device));

    raw.request({ command: COMMAND.WRITE_ZEROES, flags: FLAG.NO_HOLE, lengthBytes: 2 * MIB });
    const { error } = await raw.answer();

    expect(error).toBe(ERROR.OK);
    expect(device.allocatedBlocks()).toBe((2 * MIB) / 4096);
  });

  it('that is under way at a goodbye is answered before the connection ends', async () => {
    const device = faultyDevice(memoryDevice(MIB), { writeTurns: () => 20 });
    const raw = await insideOf(await plainServer(device));

    raw.request({ command: COMMAND.WRITE, cookie: 5n, lengthBytes: 3 }, Buffer.from('abc'));
    raw.request({ command: COMMAND.DISC });

    expect(await raw.answer()).toEqual({ error: ERROR.OK, cookie: 5n });
    await raw.ended;
  });

  it('is not even read while the client does not take its answers', async () => {
    const memory = memoryDevice(MIB);
    const device = faultyDevice(memory, {});
    const raw = await insideOf(await plainServer(device));
    raw.socket.pause();

    for (let i = 0; i < 500; i++) raw.request({ command: COMMAND.READ, lengthBytes: MIB });
    let seen = -1;
    for (let quiet = 0; quiet < 2_000; quiet++) {
      if (device.calls.reads !== seen) quiet = 0;
      seen = device.calls.reads;
      await setImmediate();
    }

    // what the sockets' own buffers hold and the window, not the 500 MiB
    expect(seen).toBeLessThan(100);
  });

  it('that fails is told to the server with its reason, and to the client by its number', async () => {
    const heard: unknown[] = [];
    const server = await plainServer(faultyDevice(memoryDevice(MIB), { failRead: 1 }), {
      onProblem: (what, error) => heard.push([what, (error as Error).message]),
    });
    const raw = await insideOf(server);

    raw.request({ command: COMMAND.READ, lengthBytes: 1 });

    expect((await raw.answer()).error).toBe(ERROR.EIO);
    expect(heard).toEqual([['export there', expect.stringContaining('EIO')]]);
  });
});

describe('a client', () => {
  const target = (port: number) => ({
    host: '127.0.0.1',
    port,
    exportName: 'there',
    signal: new AbortController().signal,
  });

  it('has a bounded number of requests under way, however many are asked of it', async () => {
    const gate = deferred();
    let under = 0;
    let most = 0;
    const device = {
      ...memoryDevice(MIB),
      async write() {
        most = Math.max(most, ++under);
        await gate.promise;
        under--;
      },
    };
    const remote = await connectNbd(target(portOf(await plainServer(device))));

    const writes = Array.from({ length: 100 }, (_, i) => remote.write(i, Buffer.from([i])));
    await until('the window is full', () => under === 16);
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    gate.resolve();
    await Promise.all(writes);

    expect(most).toBe(16);
    await remote.close();
  });

  it('gives up an export that does not open in time', async () => {
    const mute = await plainServer(memoryDevice(MIB), { resolveExport: () => new Promise(() => undefined) });

    const error = await thrownBy(connectNbd({ ...target(portOf(mute)), answerTimeoutMs: 100 }));

    expect(error).toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('no answer for 100 ms') });
  });

  it('gives up with the reason of its caller, while nobody answers', async () => {
    const mute = await plainServer(memoryDevice(MIB), { resolveExport: () => new Promise(() => undefined) });
    const stop = new AbortController();
    const connecting = thrownBy(connectNbd({ ...target(portOf(mute)), signal: stop.signal }));

    stop.abort(new Error('cancelled'));

    expect((await connecting).message).toBe('cancelled');
  });

  it('leaves nothing behind of a request that cannot be sent', async () => {
    const remote = await connectNbd(target(portOf(await plainServer(memoryDevice(MIB)))));

    const error = await thrownBy(remote.write(-1, Buffer.from('x')));
    await remote.flush();

    expect(error).toBeInstanceOf(RangeError);
    await remote.close();
  });
});
