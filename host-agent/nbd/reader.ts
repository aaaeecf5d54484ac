import type { Duplex } from 'node:stream';
import { DataPathError } from '../device/errors.ts';
import { cameFromSocket } from './young-garbage.ts';

/** Reads exact numbers of bytes from a socket, with the socket's own back-pressure: it is paused while nobody waits. */
export interface Reader {
  /** Fills `target` whole; ConnectionLost when the socket ends before. One call at a time. */
  fill(target: Buffer): Promise<void>;
  take(lengthBytes: number): Promise<Buffer>;
  /** Lets the socket go: what came too early is put back into it, for the TLS layer to read. */
  detach(): void;
}

/** More than this is not kept while nobody waits. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

export const createReader = (socket: Duplex): Reader => {
  const chunks: Buffer[] = [];
  let buffered = 0;
  let ended: DataPathError | undefined;
  let waiting: { target: Buffer; done: number; resolve: () => void; reject: (error: Error) => void } | undefined;

  const serve = (): void => {
    while (waiting && chunks.length > 0) {
      const chunk = chunks[0] as Buffer;
      const wanted = waiting.target.length - waiting.done;
      const moved = chunk.copy(waiting.target, waiting.done, 0, wanted);
      waiting.done += moved;
      buffered -= moved;
      if (moved === chunk.length) chunks.shift();
      else chunks[0] = chunk.subarray(moved);
      if (waiting.done === waiting.target.length) {
        const { resolve } = waiting;
        waiting = undefined;
        resolve();
      }
    }
    if (waiting && ended) {
      const { reject } = waiting;
      waiting = undefined;
      reject(ended);
    }
    if (buffered > HIGH_WATER_BYTES) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    // memory that waits may have been given back to its owner by now
    if (socket.destroyed) return;
    chunks.push(chunk);
    buffered += chunk.length;
    serve();
    cameFromSocket(chunk.length);
  };
  const onEnd = (error?: Error): void => {
    ended ??= new DataPathError(
      'ConnectionLost',
      error ? `the connection broke: ${error.message}` : 'the other side closed the connection',
      { cause: error },
    );
    serve();
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onEnd);
  socket.on('close', onEnd.bind(undefined, undefined));

  const fill = (target: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      if (target.length === 0) return resolve();
      waiting = { target, done: 0, resolve, reject };
      serve();
    });
  return {
    fill,
    async take(lengthBytes) {
      const target = Buffer.allocUnsafe(lengthBytes);
      await fill(target);
      return target;
    },
    detach() {
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('error', onEnd);
      if (buffered > 0) socket.unshift(Buffer.concat(chunks));
      chunks.length = 0;
      buffered = 0;
    },
  };
};
