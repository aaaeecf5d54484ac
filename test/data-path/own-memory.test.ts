import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readIntoOwn } from '../../host-agent/nbd/own-memory.ts';
import { createReader } from '../../host-agent/nbd/reader.ts';

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** Both ends of a connection on loopback. */
const pair = async (): Promise<{ here: Socket; there: Socket }> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const there = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [here] = await accepted;
  open.push(here, there, { destroy: () => server.close() });
  return { here, there };
};

describe('reading into memory of our own', () => {
  it('is known to the Node that runs this, for connections that were accepted and that were opened', async () => {
    const { here, there } = await pair();
    const memory = { next: () => Buffer.alloc(1), arrived: () => undefined };

    expect(readIntoOwn(here, memory)).toBe(true);
    expect(readIntoOwn(there, memory)).toBe(true);
  });

  it('leaves a stream that is no socket as it was', async () => {
    const { Duplex } = await import('node:stream');

    expect(readIntoOwn(new Duplex(), { next: () => Buffer.alloc(1), arrived: () => undefined })).toBe(false);
  });

  it('fills what is waited for and nothing behind it, however the bytes are cut', async () => {
    const { here, there } = await pair();
    const reader = createReader(here);
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const around = Buffer.alloc(200_000 + 64, 0xee);
    reader.straight();

    there.write(sent.subarray(0, 3));
    await new Promise(setImmediate);
    there.write(sent.subarray(3));
    const head = await reader.take(28);
    await reader.fill(around.subarray(32, 200_032));
    const rest = await reader.take(sent.length - 28 - 200_000);

    expect(Buffer.concat([head, around.subarray(32, 200_032), rest]).equals(sent)).toBe(true);
    expect(around.subarray(0, 32).every((byte) => byte === 0xee)).toBe(true);
    expect(around.subarray(200_032).every((byte) => byte === 0xee)).toBe(true);
  });

  it('keeps what comes before anybody waits, and tells of the end of the connection', async () => {
    const { here, there } = await pair();
    const reader = createReader(here);
    reader.straight();
    let heard = 0;
    reader.onArrival(() => {
      heard += 1;
    });

    there.end(Buffer.from('early bird'));
    await once(here, 'close');

    expect((await reader.take(10)).toString()).toBe('early bird');
    expect(heard).toBeGreaterThan(0);
    await expect(reader.take(1)).rejects.toMatchObject({ code: 'ConnectionLost' });
  });
});
