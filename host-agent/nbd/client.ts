import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { type Connected, connectExport, type NbdTarget } from './connect.ts';
import { type Asked, createExchange, type Exchange } from './exchange.ts';
import { COMMAND, ERROR, FLAG, MAX_REQUEST_BYTES, TRANSMISSION } from './protocol.ts';
import { remoteExtents } from './remote-extents.ts';

/**
 * A peer's export as a BlockDevice. A connection that breaks rejects everything that waits, and everything that comes after,
 * with ConnectionLost; so does the abort of a single request, with its reason.
 */
export const connectNbd = async (target: NbdTarget): Promise<BlockDevice> => nbdDevice(await connectExport(target));

/** A discard has no payload, and is done quickly or in part. */
const MAX_TRIM_BYTES = 1024 ** 3;

type Piece = Pick<Asked, 'command' | 'flags' | 'payload' | 'into' | 'lets'>;

interface Cut {
  readonly doing: string;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly pieceBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** One piece after the other; false as soon as one is answered with the error that it lets through. */
const inPieces = async (exchange: Exchange, cut: Cut, pieceAt: (at: number, bytes: number) => Piece) => {
  const { doing, offset, lengthBytes, pieceBytes, signal } = cut;
  for (let at = 0; at < lengthBytes; at += pieceBytes) {
    const bytes = Math.min(pieceBytes, lengthBytes - at);
    const from = offset + at;
    const range = { offset: from, lengthBytes: bytes, doing: `${doing} at ${from}` };
    if (!(await exchange.ask({ ...range, ...pieceAt(at, bytes) }, signal))) return false;
  }
  return true;
};

/** What the server said that it can do. */
const abilities = ({ flags }: Connected) => {
  const can = (flag: number): boolean => (flags & flag) !== 0;
  return {
    flush: can(TRANSMISSION.SEND_FLUSH),
    zeroes: can(TRANSMISSION.SEND_WRITE_ZEROES),
    fastZeroes: can(TRANSMISSION.SEND_WRITE_ZEROES) && can(TRANSMISSION.SEND_FAST_ZERO),
    trim: can(TRANSMISSION.SEND_TRIM),
  };
};

const nbdDevice = (entered: Connected): BlockDevice => {
  const { sizeBytes, blockSizeBytes, maxRequestBytes, minimumBytes, contextId } = entered;
  const exchange = createExchange(entered);
  const able = abilities(entered);

  const write = async (offset: number, source: Uint8Array, signal?: AbortSignal): Promise<void> => {
    const cut = { doing: 'write', offset, lengthBytes: source.length, pieceBytes: maxRequestBytes, signal };
    await inPieces(exchange, cut, (at, bytes) => ({
      command: COMMAND.WRITE,
      payload: source.subarray(at, at + bytes),
    }));
  };
  const zero = (offset: number, lengthBytes: number, flags: number, signal: AbortSignal | undefined) =>
    inPieces(exchange, { doing: 'zeroes', offset, lengthBytes, pieceBytes: MAX_REQUEST_BYTES, signal }, () => {
      const piece = { command: COMMAND.WRITE_ZEROES, flags };
      return (flags & FLAG.FAST_ZERO) === 0 ? piece : { ...piece, lets: ERROR.ENOTSUP };
    });
  const trim = async (offset: number, lengthBytes: number, signal?: AbortSignal): Promise<void> => {
    const cut = { doing: 'trim', offset, lengthBytes, pieceBytes: MAX_TRIM_BYTES, signal };
    await inPieces(exchange, cut, () => ({ command: COMMAND.TRIM }));
  };

  return {
    sizeBytes,
    blockSizeBytes,
    async read(offset, target, signal) {
      const cut = { doing: 'read', offset, lengthBytes: target.length, pieceBytes: maxRequestBytes, signal };
      await inPieces(exchange, cut, (at, bytes) => ({
        command: COMMAND.READ,
        into: Buffer.from(target.buffer, target.byteOffset + at, bytes),
      }));
    },
    write,
    async writeZeroes(offset, lengthBytes, signal) {
      if (able.zeroes) await zero(offset, lengthBytes, 0, signal);
      else await writeOut(offset, lengthBytes, maxRequestBytes, (at, zeroes) => write(at, zeroes, signal));
    },
    async zeroAs(offset, lengthBytes, { fast, allocated }, signal) {
      if (fast ? !able.fastZeroes : !able.zeroes) return false;
      return zero(offset, lengthBytes, (fast ? FLAG.FAST_ZERO : 0) | (allocated ? FLAG.NO_HOLE : 0), signal);
    },
    ...(able.trim && { trim }),
    async flush(signal) {
      if (!able.flush) throw new DataPathError('FlushFailed', 'the other side cannot flush');
      await exchange.ask({ command: COMMAND.FLUSH, offset: 0, lengthBytes: 0, doing: 'flush' }, signal);
    },
    async *extents(offset, lengthBytes, signal) {
      if (lengthBytes === 0) return;
      if (contextId === undefined) yield { offset, lengthBytes, kind: 'data' };
      else yield* remoteExtents({ exchange, sizeBytes, minimumBytes, contextId }, offset, lengthBytes, signal);
    },
    async close() {
      exchange.end();
    },
  };
};

const writeOut = async (
  offset: number,
  lengthBytes: number,
  pieceBytes: number,
  write: (at: number, zeroes: Uint8Array) => Promise<void>,
): Promise<void> => {
  const zeroes = Buffer.alloc(Math.min(lengthBytes, pieceBytes));
  for (let at = 0; at < lengthBytes; at += zeroes.length)
    await write(offset + at, zeroes.subarray(0, Math.min(zeroes.length, lengthBytes - at)));
};
