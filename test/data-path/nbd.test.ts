import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { copying } from './helpers/copying.ts';
import { faultyDevice } from './helpers/faulty-device.ts';
import { deviceWith, layouts } from './helpers/layout.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { CLIENT, EXPORT, nbdRig, SERVER, STRANGER } from './helpers/nbd-rig.ts';
import { thrownBy } from './helpers/thrown.ts';
import { deferred, until } from './helpers/until.ts';

const MIB = 1024 * 1024;

/** A device whose writes wait until the test lets them go. */
const held = (device: MemoryDevice) => {
  const gate = deferred();
  const state = { waiting: 0, written: 0 };
  return {
    ...device,
    state,
    letGo: () => gate.resolve(),
    async write(offset: number, source: Uint8Array) {
      state.waiting += 1;
      await gate.promise;
      await device.write(offset, source);
      state.written += 1;
    },
  };
};

const settlesOf = (promise: Promise<unknown>): { settled: boolean } => {
  const state = { settled: false };
  const mark = (): void => {
    state.settled = true;
  };
  promise.then(mark, mark);
  return state;
};

describe('an export over NBD with mutual TLS', () => {
  it('reads, writes, zeroes and flushes the device behind it', async () => {
    const device = memoryDevice(4 * MIB + 512, 0xa5);
    const { client } = await nbdRig(device);
    const remote = await client();
    const target = Buffer.alloc(5);

    await remote.write(MIB - 2, Buffer.from('hello'));
    await remote.writeZeroes(2 * MIB, MIB);
    await remote.flush();
    await remote.read(MIB - 2, target);

    expect(remote.sizeBytes).toBe(4 * MIB + 512);
    expect(target.toString()).toBe('hello');
    const expected = Buffer.alloc(4 * MIB + 512, 0xa5).fill(0, 2 * MIB, 3 * MIB);
    expected.write('hello', MIB - 2);
    expect(device.durable().equals(expected)).toBe(true);
  });

  it('answers many requests at once, each with its own bytes', async () => {
    const device = memoryDevice(8 * MIB);
    const { client } = await nbdRig(faultyDevice(device, { writeTurns: (nth) => (nth * 7) % 11 }));
    const remote = await client();
    const blocks = Array.from({ length: 64 }, (_, i) => Buffer.alloc(100_000, i + 1));

    await Promise.all(blocks.map((bytes, i) => remote.write(i * 131_072, bytes)));
    const back = await Promise.all(
      blocks.map(async (_, i) => {
        const target = Buffer.alloc(100_000);
        await remote.read(i * 131_072, target);
        return target;
      }),
    );

    expect(back.every((bytes, i) => bytes.equals(blocks[i] as Buffer))).toBe(true);
  });

  it('cuts what is longer than a request may be', async () => {
    const device = memoryDevice(40 * MIB);
    const { client } = await nbdRig(device);
    const remote = await client();
    const bytes = Buffer.alloc(40 * MIB, 0x42);
    const target = Buffer.alloc(40 * MIB);

    await remote.write(0, bytes);
    await remote.read(0, target);
    await remote.writeZeroes(0, 40 * MIB);

    expect(target.equals(bytes)).toBe(true);
    expect(device.allocatedBlocks()).toBe(0);
  });

  it('is a destination of a copy like any other', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, async (layout) => {
        const source = await deviceWith(layout);
        const device = memoryDevice(layout.sizeBytes + 512, 0xa5);
        const { client } = await nbdRig(device);
        const remote = await client();

        await copying(source, remote, { destinationIsZero: false }).copied;

        expect(device.durable().equals(Buffer.concat([source.content, Buffer.alloc(512)]))).toBe(true);
      }),
      { numRuns: 6 },
    );
  });

  it('that is read-only takes no write and no zeroes', async () => {
    const device = memoryDevice(MIB, 1);
    const { client } = await nbdRig(device, { readOnly: true });
    const remote = await client();

    const errors = [await thrownBy(remote.write(0, Buffer.from('x'))), await thrownBy(remote.writeZeroes(0, 1))];

    expect(errors.map((e) => e.name)).toEqual(['IoError', 'IoError']);
    expect(device.content.equals(Buffer.alloc(MIB, 1))).toBe(true);
  });
});

describe('who is let in', () => {
  it('is decided by the certificate: a stranger is refused, with the reason', async () => {
    const { client, asked } = await nbdRig(memoryDevice(MIB));

    const error = await thrownBy(client({ certificate: STRANGER }));

    expect(error.name).toBe('PeerRefused');
    expect(error.message).toContain('the certificate is not the one that was admitted');
    expect(asked).toEqual([{ name: EXPORT, peer: STRANGER.fingerprint }]);
  });

  it('a server with another certificate is left before it hears the name of an export', async () => {
    const { client, asked } = await nbdRig(memoryDevice(MIB));

    const error = await thrownBy(client({ peerFingerprint: STRANGER.fingerprint }));

    expect(error.name).toBe('PeerCertificateMismatch');
    expect(error.message).toContain(SERVER.fingerprint);
    expect(asked).toEqual([]);
  });

  it('an export that is not open is refused, with the reason', async () => {
    const { client } = await nbdRig(memoryDevice(MIB));

    const error = await thrownBy(client({ exportName: 'm.1.2' }));

    expect(error.name).toBe('PeerRefused');
    expect(error.message).toContain('export m.1.2: no such export is open');
  });

  it('a port where nobody listens is a lost connection', async () => {
    const { client, server } = await nbdRig(memoryDevice(MIB));
    await server.close();

    expect((await thrownBy(client())).name).toBe('ConnectionLost');
  });
});

describe('errors of the device', () => {
  it('are answered to the request alone: the connection goes on', async () => {
    const device = memoryDevice(MIB, 7);
    const { client } = await nbdRig(faultyDevice(device, { failRead: 1, failWrite: 1, failFlush: 1 }));
    const remote = await client();
    const target = Buffer.alloc(3);

    const errors = [
      await thrownBy(remote.read(0, target)),
      await thrownBy(remote.write(0, Buffer.from('abc'))),
      await thrownBy(remote.flush()),
    ];
    await remote.write(0, Buffer.from('abc'));
    await remote.read(0, target);

    expect(errors.map((e) => e.name)).toEqual(['IoError', 'IoError', 'FlushFailed']);
    expect(target.toString()).toBe('abc');
  });

  it('without space arrive as NoSpace', async () => {
    const device = memoryDevice(MIB);
    const { client } = await nbdRig(device);
    const remote = await client();

    const error = await thrownBy(remote.write(MIB - 1, Buffer.from('xy')));

    expect(error.name).toBe('NoSpace');
    expect(device.content.equals(Buffer.alloc(MIB))).toBe(true);
  });

  it('that say what became of the backend arrive with that, and with what to do', async () => {
    const { client } = await nbdRig({
      ...memoryDevice(MIB),
      write: () => Promise.reject(volmoveError('BackendOffline', { place: 'lvm#main', reason: 'the pool is ill' })),
    });
    const remote = await client();

    const error = await thrownBy(remote.write(0, Buffer.from('abc')));

    expect(error.name).toBe('IoError');
    expect(error.message).toContain('BackendOffline. Bring it back');
  });
});

describe('an export that ends', () => {
  it('waits for the write that is in flight, and lets go only then', async () => {
    const device = held(memoryDevice(MIB));
    const { client, server } = await nbdRig(device);
    const remote = await client();
    const writing = thrownBy(remote.write(0, Buffer.from('late')));
    await until('the write has begun', () => device.state.waiting === 1);

    const ending = server.endExport(EXPORT);
    const state = settlesOf(ending);
    const error = await writing;
    const before = { ended: state.settled, written: device.state.written };
    device.letGo();
    await ending;

    expect(error.name).toBe('ConnectionLost');
    expect(before).toEqual({ ended: false, written: 0 });
    expect(device.state.written).toBe(1);
  });

  it('lets no request through any more, also not of a client that comes late', async () => {
    const device = memoryDevice(MIB);
    const { client, server } = await nbdRig(device);
    const early = await client();
    await server.endExport(EXPORT);

    const errors = [await thrownBy(early.write(0, Buffer.from('x'))), await thrownBy(client())];

    expect(errors.map((e) => e.name)).toEqual(['ConnectionLost', 'ExportSealed']);
    expect(device.allocatedBlocks()).toBe(0);
  });

  it('that has no connection ends at once', async () => {
    const { server } = await nbdRig(memoryDevice(MIB));

    await expect(server.endExport('m.9.9')).resolves.toBeUndefined();
  });
});

describe('a connection that breaks', () => {
  it('rejects everything that waits and everything after; a new connection works', async () => {
    const memory = memoryDevice(MIB);
    const device = held(memory);
    const { client, server } = await nbdRig(device);
    const remote = await client();
    const waiting = [0, 1, 2].map((i) => thrownBy(remote.write(i * 4096, Buffer.from('x'))));
    await until('they have begun', () => device.state.waiting === 3);

    server.dropConnections();
    const errors = await Promise.all(waiting);
    const after = await thrownBy(remote.read(0, Buffer.alloc(1)));
    device.letGo();
    const again = await client();
    await again.read(0, Buffer.alloc(1));

    expect([...errors, after].map((e) => e.name)).toEqual(Array.from({ length: 4 }, () => 'ConnectionLost'));
  });

  it('by the abort of one request rejects the others with the same reason', async () => {
    const device = held(memoryDevice(MIB));
    const { client } = await nbdRig(device);
    const remote = await client();
    const stop = new AbortController();
    const one = thrownBy(remote.write(0, Buffer.from('x'), stop.signal));
    const other = thrownBy(remote.write(4096, Buffer.from('x')));
    await until('they have begun', () => device.state.waiting === 2);

    stop.abort(new Error('cancelled'));

    expect((await one).message).toBe('cancelled');
    expect((await other).message).toBe('cancelled');
    device.letGo();
  });

  it('by closing it rejects what waits', async () => {
    const device = held(memoryDevice(MIB));
    const { client } = await nbdRig(device);
    const remote = await client();
    const waiting = thrownBy(remote.write(0, Buffer.from('x')));
    await until('it has begun', () => device.state.waiting === 1);

    await remote.close();

    expect((await waiting).name).toBe('ConnectionLost');
    device.letGo();
  });

  it('is not even made for a caller that has given up', async () => {
    const { client, asked } = await nbdRig(memoryDevice(MIB));

    const error = await thrownBy(client({ signal: AbortSignal.abort(new Error('given up')) }));

    expect(error.message).toBe('given up');
    expect(asked).toEqual([]);
  });

  it('is not made for a caller that gives up while the address is being reached', async () => {
    const { client, asked } = await nbdRig(memoryDevice(MIB));
    const stop = new AbortController();
    const connecting = client({ signal: stop.signal }).then(
      () => 'connected',
      () => 'gave up',
    );

    stop.abort(new Error('given up'));

    expect(await connecting).toBe('gave up');
    expect(asked.filter(({ peer }) => peer === CLIENT.fingerprint)).toEqual([]);
  });
});
