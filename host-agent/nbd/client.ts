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
import { createSilence } from './silence.ts';

/**
 * A peer's export as a BlockDevice. A connection that breaks rejects everything that waits, and everything that comes after; a
 * peer that says nothing for too long while something waits counts as a connection that broke.
 */
export interface NbdTarget {
  readonly host: string;
  readonly port: number;
  readonly exportName: string;
  readonly tls: ClientTls;
  readonly signal: AbortSignal;
  /** For the whole negotiation, and after it for the next byte of an answer, in milliseconds; 30 s when left out. */
  readonly answerTimeoutMs?: number;
}

const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;
/** A flush makes gigabytes durable and says nothing before it has. */
const FLUSH_PATIENCE = 4;
const KEEP_ALIVE_MS = 15_000;

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Where the answer's bytes go; empty for everything but reads. */
  readonly target: Buffer;
  readonly doing: string;
  readonly command: number;
}

const tcp = (host: string, port: number, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTcp({ host, port, noDelay: true });
    const giveUp = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', giveUp));
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
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.off('error', fail);
      signal.removeEventListener('abort', giveUp);
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

const noAnswer = (forMs: number, cause?: unknown): DataPathError =>
  new DataPathError('ConnectionLost', `there was no answer for ${forMs} ms`, { cause });

export const connectNbd = async (target: NbdTarget): Promise<BlockDevice> => {
  const { answerTimeoutMs = ANSWER_MS } = target;
  const socket = await tcp(target.host, target.port, target.signal);
  const abort = (): void => {
    socket.destroy();
  };
  target.signal.addEventListener('abort', abort, { once: true });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    socket.destroy();
  }, answerTimeoutMs);
  try {
    return nbdDevice(await enter(socket, target.exportName, target.tls), answerTimeoutMs);
  } catch (error) {
    socket.destroy();
    throw late ? noAnswer(answerTimeoutMs, error) : error;
  } finally {
    clearTimeout(deadline);
    target.signal.removeEventListener('abort', abort);
  }
};

/** Requests and their answers over one connection; answers may come in any order. */
interface Exchange {
  ask(request: Asked, signal: AbortSignal | undefined): Promise<void>;
  end(): void;
}

interface Asked {
  readonly command: number;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly doing: string;
  readonly payload?: Uint8Array;
  /** Where a read's answer goes. */
  readonly into?: Buffer;
}

const NOTHING = Buffer.alloc(0);

const exchangeOver = ({ socket, reader }: Entered, answerTimeoutMs: number): Exchange => {
  const pending = new Map<bigint, Pending>();
  let cookie = 0n;
  let broken: Error | undefined;

  const breakAll = (error: Error): void => {
    broken ??= error;
    for (const [key, waiting] of pending) {
      pending.delete(key);
      waiting.reject(broken);
    }
    silence.restart();
    socket.destroy();
  };
  const patienceMs = (): number | undefined => {
    if (pending.size === 0) return undefined;
    const flushing = [...pending.values()].some(({ command }) => command === COMMAND.FLUSH);
    return flushing ? answerTimeoutMs * FLUSH_PATIENCE : answerTimeoutMs;
  };
  const silence = createSilence(patienceMs, (forMs) => breakAll(noAnswer(forMs)));
  const listen = async (): Promise<void> => {
    for (;;) {
      const head = await reader.take(SIMPLE_REPLY_BYTES);
      const waiting = pending.get(head.readBigUInt64BE(8));
      if (head.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC || !waiting) {
        throw new DataPathError('ProtocolError', 'the other side answered what was not asked');
      }
      const error = head.readUInt32BE(4);
      if (error === ERROR.OK) await reader.fill(waiting.target);
      pending.delete(head.readBigUInt64BE(8));
      silence.restart();
      if (error === ERROR.OK) waiting.resolve();
      else waiting.reject(refusal(error, waiting.doing));
    }
  };
  socket.on('data', () => silence.restart());
  listen().catch((error: unknown) => breakAll(error as Error));

  const send = ({ command, offset, lengthBytes, doing, payload, into = NOTHING }: Asked): Promise<void> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      const mine = cookie++;
      const startsWaiting = pending.size === 0 || command === COMMAND.FLUSH;
      pending.set(mine, { resolve, reject, target: into, doing, command });
      if (startsWaiting) silence.restart();
      socket.cork();
      socket.write(encodeRequest({ flags: 0, command, cookie: mine, offset, lengthBytes }));
      if (payload) socket.write(payload);
      socket.uncork();
    });

  return {
    async ask(request, signal) {
      const abort = (): void => breakAll(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      try {
        signal?.throwIfAborted();
        await send(request);
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    end() {
      const goodbye = { flags: 0, command: COMMAND.DISC, cookie: cookie++, offset: 0, lengthBytes: 0 };
      if (!broken) socket.write(encodeRequest(goodbye));
      breakAll(new DataPathError('ConnectionLost', 'the connection was closed'));
    },
  };
};

type PieceOf = (at: number, lengthBytes: number) => Asked;

const nbdDevice = (entered: Entered, answerTimeoutMs: number): BlockDevice => {
  const exchange = exchangeOver(entered, answerTimeoutMs);
  const inPieces = async (lengthBytes: number, piece: PieceOf, signal: AbortSignal | undefined): Promise<void> => {
    for (let at = 0; at < lengthBytes; at += MAX_REQUEST_BYTES) {
      await exchange.ask(piece(at, Math.min(MAX_REQUEST_BYTES, lengthBytes - at)), signal);
    }
  };
  const asked = (command: number, name: string, offset: number, lengthBytes: number): Asked => ({
    command,
    offset,
    lengthBytes,
    doing: `${name} at ${offset}`,
  });
  return {
    sizeBytes: entered.sizeBytes,
    blockSizeBytes: 4096,
    read: (offset, into, signal) => {
      const piece: PieceOf = (at, bytes) => ({
        ...asked(COMMAND.READ, 'read', offset + at, bytes),
        into: Buffer.from(into.buffer, into.byteOffset + at, bytes),
      });
      return inPieces(into.length, piece, signal);
    },
    write: (offset, source, signal) => {
      const piece: PieceOf = (at, bytes) => ({
        ...asked(COMMAND.WRITE, 'write', offset + at, bytes),
        payload: source.subarray(at, at + bytes),
      });
      return inPieces(source.length, piece, signal);
    },
    writeZeroes: (offset, lengthBytes, signal) =>
      inPieces(lengthBytes, (at, bytes) => asked(COMMAND.WRITE_ZEROES, 'zeroes', offset + at, bytes), signal),
    flush: (signal) => exchange.ask({ command: COMMAND.FLUSH, offset: 0, lengthBytes: 0, doing: 'flush' }, signal),
    async *extents(offset, lengthBytes) {
      if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
    },
    async close() {
      exchange.end();
    },
  };
};
