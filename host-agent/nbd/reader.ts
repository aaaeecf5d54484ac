import type { Duplex } from 'node:stream';
import { DataPathError } from '../device/errors.ts';
import { createIntake } from './intake.ts';
import { readIntoOwn } from './own-memory.ts';
import { cameFromSocket } from './young-garbage.ts';

/** Reads exact numbers of bytes from a socket, with the socket's own back-pressure: it is paused while nobody waits. */
export interface Reader {
  /** Fills `target` whole; ConnectionLost when the socket ends before. One call at a time. */
  fill(target: Buffer): Promise<void>;
  take(lengthBytes: number): Promise<Buffer>;
  /** The negotiation is over and payloads come: from now on they are read straight into what `fill` was given, where Node can. */
  straight(): void;
  /** Called whenever bytes have come. */
  onArrival(listener: () => void): void;
  /** Lets the socket go: what came too early is put back into it, for the TLS layer to read. */
  detach(): void;
}

/** More than this is not kept while nobody waits. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
const SCRATCH_BYTES = 64 * 1024;
export const createReader = (socket: Duplex): Reader => {
  const intake = createIntake();
  let ended: DataPathError | undefined;
  let heard: () => void = () => undefined;

  const serve = (): void => {
    intake.give();
    if (ended) intake.fail(ended);
    if (intake.earlyBytes > HIGH_WATER_BYTES) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    // memory that waits may have been given back to its owner by now
    if (socket.destroyed) return;
    intake.keep(chunk);
    serve();
    heard();
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

  const fill = async (target: Buffer): Promise<void> => {
    if (target.length === 0) return;
    const filled = intake.await(target);
    serve();
    await filled;
  };
  const straight = (): void => {
    const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    const own = readIntoOwn(socket, {
      next: () => intake.memory() ?? scratch,
      arrived(lengthBytes, memory) {
        if (socket.destroyed) return;
        if (memory === scratch) intake.keepCopy(scratch.subarray(0, lengthBytes));
        else intake.came(lengthBytes);
        serve();
        heard();
      },
    });
    if (own) socket.off('data', onData);
  };
  return {
    fill,
    async take(lengthBytes) {
      const target = Buffer.allocUnsafe(lengthBytes);
      await fill(target);
      return target;
    },
    straight,
    onArrival(listener) {
      heard = listener;
    },
    detach() {
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('error', onEnd);
      if (intake.earlyBytes > 0) socket.unshift(intake.takeEarly());
    },
  };
};
