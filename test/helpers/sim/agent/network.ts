import type { BlockDevice } from '../../../../domain/block-device.ts';
import { throwIfAborted } from '../../../../host-agent/device/errors.ts';
import type { NbdTarget } from '../../../../host-agent/nbd/connect.ts';
import { COMMAND } from '../../../../host-agent/nbd/protocol.ts';
import { type Connection, createConnection } from './connection.ts';
import { type Client, lost, type NetworkParts } from './peers.ts';
import { type Asked, enter, type Open, serve } from './serving.ts';

/**
 * Connections between agents, as NBD has them: what is asked arrives in a turn of its own, also after whoever asked has given up
 * or died; a server that has ended the export or died takes nothing any more. The server's rules are the real ones.
 */

/** A flush may take its time. */
const FLUSH_PATIENCE = 4;
const NO_MEMORY = Buffer.alloc(0);

export const connectOver =
  (parts: NetworkParts, client: Client) =>
  async (target: NbdTarget): Promise<BlockDevice> => {
    if (!('host' in target)) throw new Error('There are no sockets of files here.');
    const { exportName, signal, host, answerTimeoutMs = 30_000 } = target;
    throwIfAborted(signal);
    const connection = createConnection(parts, client, host, answerTimeoutMs);
    const { waiting, send } = connection;
    const connects = () =>
      send(`connects to ${exportName}`, () => enter(parts, client, connection, { host, exportName }));
    const open = await waiting.ask(connects, 1, signal);
    return deviceOver(parts, connection, open, exportName);
  };

/** What the client has of it: a device like any other. */
const deviceOver = (parts: NetworkParts, connection: Connection, open: Open, exportName: string): BlockDevice => {
  const { waiting, send } = connection;
  const ask = async (asked: Asked, memory: Buffer, by: AbortSignal | undefined): Promise<void> => {
    throwIfAborted(by);
    const patience = asked.command === COMMAND.FLUSH ? FLUSH_PATIENCE : 1;
    const label = `sends to ${exportName}: ${asked.doing}`;
    await waiting.ask(() => send(label, () => serve(parts, connection, open, asked, memory)), patience, by);
  };
  return {
    sizeBytes: open.device.sizeBytes,
    blockSizeBytes: 4096,
    async read(offset, into, by) {
      const memory = Buffer.alloc(into.length);
      await ask({ command: COMMAND.READ, offset, lengthBytes: into.length, doing: `read at ${offset}` }, memory, by);
      into.set(memory);
    },
    write: (offset, source, by) =>
      // whoever asked may use its memory for something else as soon as it has given up
      ask(
        { command: COMMAND.WRITE, offset, lengthBytes: source.length, doing: `write at ${offset}` },
        Buffer.from(source),
        by,
      ),
    writeZeroes: (offset, lengthBytes, by) =>
      ask({ command: COMMAND.WRITE_ZEROES, offset, lengthBytes, doing: `zeroes at ${offset}` }, NO_MEMORY, by),
    flush: (by) => ask({ command: COMMAND.FLUSH, offset: 0, lengthBytes: 0, doing: 'flush' }, NO_MEMORY, by),
    async *extents(offset, lengthBytes) {
      if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
    },
    close: async () => waiting.breakAll(lost('the connection was closed')),
  };
};
