import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { insideOf, plainServer, portOf } from './helpers/raw-client.ts';
import { thrownBy } from './helpers/thrown.ts';
import { deferred, until } from './helpers/until.ts';

const MIB = 1024 * 1024;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await setImmediate();
};

describe('an export that was ended', () => {
  it('is refused by name to whoever connects later', async () => {
    const server = await plainServer(memoryDevice(MIB));
    await server.endExport('there');
    const target = { host: '127.0.0.1', port: portOf(server), exportName: 'there' };

    const error = await thrownBy(connectNbd({ ...target, signal: new AbortController().signal }));

    expect(error).toMatchObject({ code: 'ExportSealed' });
  });

  it('is written by nobody who was on the way in', async () => {
    const memory = memoryDevice(MIB);
    const opening = deferred();
    let asked = false;
    const server = await plainServer(memory, {
      async resolveExport() {
        asked = true;
        await opening.promise;
        return { device: memory, readOnly: false };
      },
    });
    const target = { host: '127.0.0.1', port: portOf(server), exportName: 'there' };
    const writing = connectNbd({ ...target, signal: new AbortController().signal }).then((remote) =>
      remote.write(0, Buffer.from('late')),
    );
    const error = thrownBy(writing);
    await until('the export is being opened', () => asked);

    await server.endExport('there');
    opening.resolve();

    expect((await error).name).toMatch(/ConnectionLost|ExportSealed/);
    await turns(50);
    expect(memory.allocatedBlocks()).toBe(0);
  });

  it('takes no request whose payload was still on the way', async () => {
    const memory = memoryDevice(MIB);
    const server = await plainServer(memory);
    const raw = await insideOf(server);
    raw.request({ command: 1, lengthBytes: 8 }, Buffer.from('half'));
    await turns(20);

    await server.endExport('there');
    raw.socket.write(Buffer.from('rest'));
    await turns(50);

    expect(memory.allocatedBlocks()).toBe(0);
  });

  it('leaves the other exports alone', async () => {
    const memory = memoryDevice(MIB);
    const server = await plainServer(memory);
    const raw = await insideOf(server);

    await server.endExport('elsewhere');
    raw.request({ command: 1, lengthBytes: 4 }, Buffer.from('good'));

    expect((await raw.answer()).error).toBe(0);
    expect(memory.content.toString('latin1', 0, 4)).toBe('good');
  });
});
