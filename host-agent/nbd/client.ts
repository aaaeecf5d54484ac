import { connect as connectTcp, type Socket } from 'node:net';
import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { type ClientTls, type Entered, enter } from './client-handshake.ts';
import {
  COMMAND,
  ERROR,
  encodeRequest,
  MAX_REQUEST_BYTES,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
} from './protocol.ts';

/** A peer's export as a BlockDevice. A connection that breaks rejects everything that waits, and everything that comes after. */
export interface NbdTarget {
  readonly host: string;
  readonly port: number;
  readonly exportName: string;
  readonly tls: ClientTls;
  readonly signal: AbortSignal;
}

const CONNECT_MS = 10_000;

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Where the answer's bytes go; empty for everything but reads. */
  readonly target: Buffer;
}

const tcp = (host: string, port: number, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTcp({ host, port, noDelay: true });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(
        new DataPathError('ConnectionLost', `${host}:${port} cannot be reached: ${error.message}`, { cause: error }),
      );
    };
    socket.setTimeout(CONNECT_MS, () => fail(new Error(`no answer within ${CONNECT_MS} ms`)));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', fail);
      // later errors reach whoever waits through the reader; a socket without a listener would end the process
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });

const refusal = (error: number, doing: string): DataPathError => {
  if (error === ERROR.ENOSPC) return new DataPathError('NoSpace', `${doing}: the other side has no space`);
  if (error === ERROR.ESHUTDOWN) return new DataPathError('ExportSealed', `${doing}: the export is sealed`);
  return new DataPathError(
    doing.startsWith('flush') ? 'FlushFailed' : 'IoError',
    `${doing}: the other side answered error ${error}`,
  );
};

export const connectNbd = async (target: NbdTarget): Promise<BlockDevice> => {
  const socket = await tcp(target.host, target.port, target.signal);
  const abort = (): void => {
    socket.destroy();
  };
  target.signal.addEventListener('abort', abort, { once: true });
  try {
    return nbdDevice(await enter(socket, target.exportName, target.tls));
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    target.signal.removeEventListener('abort', abort);
  }
};

const nbdDevice = ({ socket, reader, sizeBytes }: Entered): BlockDevice => {
  const pending = new Map<bigint, Pending & { readonly doing: string }>();
  let cookie = 0n;
  let broken: Error | undefined;

  const breakAll = (error: Error): void => {
    broken ??= error;
    for (const [key, waiting] of pending) {
      pending.delete(key);
      waiting.reject(broken);
    }
    socket.destroy();
  };

  const listen = async (): Promise<void> => {
    for (;;) {
      const head = await reader.take(SIMPLE_REPLY_BYTES);
      const waiting = pending.get(head.readBigUInt64BE(8));
      if (head.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC || !waiting)
        throw new DataPathError('ProtocolError', 'the other side answered what was not asked');
      const error = head.readUInt32BE(4);
      if (error === ERROR.OK) await reader.fill(waiting.target);
      pending.delete(head.readBigUInt64BE(8));
      if (error === ERROR.OK) waiting.resolve();
      else waiting.reject(refusal(error, waiting.doing));
    }
  };
  listen().catch((error: unknown) => breakAll(error as Error));

  const ask = (
    command: number,
    offset: number,
    lengthBytes: number,
    doing: string,
    payload?: Uint8Array,
    into: Buffer = Buffer.alloc(0),
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      const mine = cookie++;
      pending.set(mine, { resolve, reject, target: into, doing });
      socket.cork();
      socket.write(encodeRequest({ flags: 0, command, cookie: mine, offset, lengthBytes }));
      if (payload) socket.write(payload);
      socket.uncork();
    });

  const abortable = async (work: Promise<void>, signal: AbortSignal | undefined): Promise<void> => {
    if (!signal) return work;
    const abort = (): void =>
      breakAll(
        signal.reason instanceof Error ? signal.reason : new DataPathError('ConnectionLost', 'the copy was stopped'),
      );
    signal.addEventListener('abort', abort, { once: true });
    try {
      await work;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  };

  const inPieces = async (length: number, piece: (at: number, bytes: number) => Promise<void>): Promise<void> => {
    for (let at = 0; at < length; at += MAX_REQUEST_BYTES) await piece(at, Math.min(MAX_REQUEST_BYTES, length - at));
  };

  return {
    sizeBytes,
    blockSizeBytes: 4096,
    read: (offset, into, signal) =>
      inPieces(into.length, (at, bytes) => {
        const part = Buffer.from(into.buffer, into.byteOffset + at, bytes);
        return abortable(ask(COMMAND.READ, offset + at, bytes, `read at ${offset + at}`, undefined, part), signal);
      }),
    write: (offset, source, signal) =>
      inPieces(source.length, (at, bytes) =>
        abortable(
          ask(COMMAND.WRITE, offset + at, bytes, `write at ${offset + at}`, source.subarray(at, at + bytes)),
          signal,
        ),
      ),
    writeZeroes: (offset, lengthBytes, signal) =>
      inPieces(lengthBytes, (at, bytes) =>
        abortable(ask(COMMAND.WRITE_ZEROES, offset + at, bytes, `zeroes at ${offset + at}`), signal),
      ),
    flush: (signal) => abortable(ask(COMMAND.FLUSH, 0, 0, 'flush'), signal),
    async *extents(offset, lengthBytes) {
      if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
    },
    async close() {
      if (!broken)
        socket.write(encodeRequest({ flags: 0, command: COMMAND.DISC, cookie: cookie++, offset: 0, lengthBytes: 0 }));
      breakAll(new DataPathError('ConnectionLost', 'the connection was closed'));
    },
  };
};
