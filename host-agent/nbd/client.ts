import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { type Connected, connectExport, type NbdTarget } from './connect.ts';
import { type Asked, createExchange } from './exchange.ts';
import { COMMAND, MAX_REQUEST_BYTES, TRANSMISSION } from './protocol.ts';

/**
 * A peer's export as a BlockDevice. A connection that breaks rejects everything that waits, and everything that comes after,
 * with ConnectionLost; so does the abort of a single request, with its reason.
 */
export const connectNbd = async (target: NbdTarget): Promise<BlockDevice> => nbdDevice(await connectExport(target));

type PieceOf = (at: number, lengthBytes: number) => Asked;

const nbdDevice = (entered: Connected): BlockDevice => {
  const { sizeBytes, blockSizeBytes, maxRequestBytes, flags } = entered;
  const exchange = createExchange(entered);
  const can = (flag: number): boolean => (flags & flag) !== 0;

  const inPieces = async (
    lengthBytes: number,
    pieceBytes: number,
    piece: PieceOf,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    for (let at = 0; at < lengthBytes; at += pieceBytes)
      await exchange.ask(piece(at, Math.min(pieceBytes, lengthBytes - at)), signal);
  };
  const write = async (offset: number, source: Uint8Array, signal: AbortSignal | undefined): Promise<void> => {
    const piece: PieceOf = (at, bytes) => ({
      command: COMMAND.WRITE,
      offset: offset + at,
      lengthBytes: bytes,
      doing: `write at ${offset + at}`,
      payload: source.subarray(at, at + bytes),
    });
    await inPieces(source.length, maxRequestBytes, piece, signal);
  };

  return {
    sizeBytes,
    blockSizeBytes,
    async read(offset, target, signal) {
      const piece: PieceOf = (at, bytes) => ({
        command: COMMAND.READ,
        offset: offset + at,
        lengthBytes: bytes,
        doing: `read at ${offset + at}`,
        into: Buffer.from(target.buffer, target.byteOffset + at, bytes),
      });
      await inPieces(target.length, maxRequestBytes, piece, signal);
    },
    write,
    async writeZeroes(offset, lengthBytes, signal) {
      if (!can(TRANSMISSION.SEND_WRITE_ZEROES)) {
        const zeroes = Buffer.alloc(Math.min(lengthBytes, maxRequestBytes));
        for (let at = 0; at < lengthBytes; at += zeroes.length)
          await write(offset + at, zeroes.subarray(0, Math.min(zeroes.length, lengthBytes - at)), signal);
        return;
      }
      const piece: PieceOf = (at, bytes) => ({
        command: COMMAND.WRITE_ZEROES,
        offset: offset + at,
        lengthBytes: bytes,
        doing: `zeroes at ${offset + at}`,
      });
      await inPieces(lengthBytes, MAX_REQUEST_BYTES, piece, signal);
    },
    async flush(signal) {
      if (!can(TRANSMISSION.SEND_FLUSH)) throw new DataPathError('FlushFailed', 'the other side cannot flush');
      await exchange.ask({ command: COMMAND.FLUSH, offset: 0, lengthBytes: 0, doing: 'flush' }, signal);
    },
    async *extents(offset, lengthBytes) {
      if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
    },
    async close() {
      exchange.end();
    },
  };
};
