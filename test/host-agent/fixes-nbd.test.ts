import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { createLiveExports } from '../../host-agent/nbd/live-exports.ts';
import {
  encodeOptionReply,
  HANDSHAKE,
  INIT_MAGIC,
  OPTION,
  OPTION_MAGIC,
  REPLY,
} from '../../host-agent/nbd/protocol.ts';
import { createNbdServer } from '../../host-agent/nbd/server.ts';
import { createSilence } from '../../host-agent/nbd/silence.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { CLIENT, EXPORT, SERVER } from '../data-path/helpers/nbd-rig.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { deferred } from '../data-path/helpers/until.ts';

const SHORT_MS = 60;
const never = new Promise<never>(() => undefined);

const connectTo = (port: number, answerTimeoutMs = SHORT_MS): Promise<BlockDevice> =>
  connectNbd({
    host: '127.0.0.1',
    port,
    exportName: EXPORT,
    tls: { keyPem: CLIENT.keyPem, certPem: CLIENT.certPem, peerFingerprint: SERVER.fingerprint },
    signal: AbortSignal.timeout(10_000),
    answerTimeoutMs,
  });

/** Takes connections, says `says`, and nothing more ever. */
const frozenAfter = async (says: Buffer): Promise<number> => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(says);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
};

const portOf = async (resolveExport: () => Promise<{ device: BlockDevice; readOnly: boolean }>): Promise<number> => {
  const server = await createNbdServer({ host: '127.0.0.1', port: 0, tls: SERVER, resolveExport });
  onTestFinished(() => server.close());
  return Number(server.address.split(':')[1]);
};

const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE, 16);
  return bytes;
};

describe('a peer that is frozen', () => {
  it.each([
    ['before it greets', Buffer.alloc(0)],
    ['before it answers to STARTTLS', greeting()],
    ['in the TLS handshake', Buffer.concat([greeting(), encodeOptionReply(OPTION.STARTTLS, REPLY.ACK)])],
  ])('%s is a connection that is lost', async (_when, says) => {
    const error = await thrownBy(connectTo(await frozenAfter(says)));

    expect(error).toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('no answer') });
  });

  it('before it lets the client in is a connection that is lost', async () => {
    const error = await thrownBy(connectTo(await portOf(() => never), 400));

    expect(error).toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('no answer') });
  });

  it('with requests that wait is a connection that is lost, and what comes after says the same', async () => {
    const device = { ...memoryDevice(8192), write: () => never };
    const remote = await connectTo(await portOf(async () => ({ device, readOnly: false })), 400);

    const errors = await Promise.all([0, 4096].map((at) => thrownBy(remote.write(at, Buffer.from('x')))));
    errors.push(await thrownBy(remote.read(0, Buffer.alloc(1))));

    for (const error of errors)
      expect(error).toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('no answer') });
  });

  it('is waited for longer while it flushes', async () => {
    const ended: string[] = [];
    const device = { ...memoryDevice(8192), write: () => never, flush: () => never };
    const port = await portOf(async () => ({ device, readOnly: false }));
    const [writer, flusher] = await Promise.all([connectTo(port, 400), connectTo(port, 400)]);

    const flushing = thrownBy(flusher.flush()).finally(() => ended.push('flush'));
    const writing = thrownBy(writer.write(0, Buffer.from('x'))).finally(() => ended.push('write'));
    const errors = await Promise.all([flushing, writing]);

    expect(ended).toEqual(['write', 'flush']);
    expect(errors).toMatchObject([{ code: 'ConnectionLost' }, { code: 'ConnectionLost' }]);
  });

  it('costs nothing while nobody asks it anything', async () => {
    const port = await portOf(async () => ({ device: memoryDevice(8192), readOnly: false }));
    const idle = await connectTo(port, 400);
    const frozen = await connectTo(
      await portOf(async () => ({ device: { ...memoryDevice(1), read: () => never }, readOnly: false })),
      500,
    );

    await thrownBy(frozen.read(0, Buffer.alloc(1)));

    await expect(idle.read(0, Buffer.alloc(1))).resolves.toBeUndefined();
    await idle.close();
  });
});

describe('the silence of a peer', () => {
  it('is counted from the last thing that was heard, while something is waited for', () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const state: { patienceMs: number | undefined; silentForMs: number[] } = { patienceMs: 100, silentForMs: [] };
    const silence = createSilence(
      () => state.patienceMs,
      (ms) => state.silentForMs.push(ms),
    );

    silence.restart();
    vi.advanceTimersByTime(99);
    silence.restart();
    vi.advanceTimersByTime(99);
    const heardInTime = [...state.silentForMs];
    state.patienceMs = undefined;
    silence.restart();
    vi.advanceTimersByTime(1_000);
    const nothingWaits = [...state.silentForMs];
    state.patienceMs = 100;
    silence.restart();
    vi.advanceTimersByTime(100);

    expect(heardInTime).toEqual([]);
    expect(nothingWaits).toEqual([]);
    expect(state.silentForMs).toEqual([100]);
  });
});

describe('what a server keeps of its exports', () => {
  it('is nothing when the last connection has left and its I/O has ended', async () => {
    const live = createLiveExports();
    const gate = deferred();
    const one = live.enter('m.1.1');
    live.track(one, gate.promise);

    live.leave(one);
    const whileInFlight = live.size();
    gate.resolve();
    await gate.promise;
    await new Promise((resolve) => setImmediate(resolve));

    expect([whileInFlight, live.size()]).toEqual([1, 0]);
  });

  it('ends with the I/O in flight of a connection that has left', async () => {
    const live = createLiveExports();
    const gate = deferred();
    const one = live.enter('m.1.1');
    live.track(one, gate.promise);
    live.leave(one);
    let ended = false;

    const ending = live.end('m.1.1').then(() => {
      ended = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    const tooEarly = ended;
    gate.resolve();
    await ending;

    expect([tooEarly, ended]).toEqual([false, true]);
  });

  it('marks as ended who was only about to enter', async () => {
    const live = createLiveExports();
    const one = live.enter('m.1.1');

    await live.end('m.1.1');

    expect(one.ended).toBe(true);
  });

  it('stays small, however many exports have ended', async () => {
    const live = createLiveExports();

    for (let i = 0; i < 10_000; i++) {
      const one = live.enter(`m.1.${i}`);
      await live.end(`m.1.${i}`);
      live.leave(one);
      await live.end(`n.1.${i}`);
    }

    expect(live.size()).toBeLessThanOrEqual(1_000);
  });
});
