import type { Duplex } from 'node:stream';
import { DataPathError } from '../device/errors.ts';
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
/** Less than this is not worth a read of its own: it comes with what follows it. */
const STRAIGHT_BYTES = 4096;

interface Waiting {
  readonly target: Buffer;
  done: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What has come and who waits for it. */
const createIntake = () => {
  const early: Buffer[] = [];
  let earlyBytes = 0;
  let waiting: Waiting | undefined;

  const came = (lengthBytes: number): void => {
    if (!waiting) return;
    waiting.done += lengthBytes;
    if (waiting.done < waiting.target.length) return;
    const { resolve } = waiting;
    waiting = undefined;
    resolve();
  };
  /** How much of `bytes` somebody waited for. */
  const given = (bytes: Buffer): number => {
    if (!waiting) return 0;
    const moved = bytes.copy(waiting.target, waiting.done, 0, waiting.target.length - waiting.done);
    came(moved);
    return moved;
  };

  return {
    get earlyBytes() {
      return earlyBytes;
    },
    /** Bytes went straight into what `memory` had returned. */
    came,
    /** The rest of what is waited for; undefined when it is short, or something came before it. */
    memory(): Buffer | undefined {
      const large = waiting && earlyBytes === 0 && waiting.target.length >= STRAIGHT_BYTES;
      return large ? waiting?.target.subarray(waiting.done) : undefined;
    },
    keep(bytes: Buffer): void {
      early.push(bytes);
      earlyBytes += bytes.length;
    },
    /** As `keep` and `give`, of memory that the next read overwrites. */
    keepCopy(bytes: Buffer): void {
      const moved = earlyBytes === 0 ? given(bytes) : 0;
      if (moved < bytes.length) this.keep(Buffer.from(bytes.subarray(moved)));
    },
    await(target: Buffer): Promise<void> {
      return new Promise((resolve, reject) => {
        waiting = { target, done: 0, resolve, reject };
      });
    },
    /** Hands out what came early. */
    give(): void {
      for (let first = early[0]; waiting && first; first = early[0]) {
        const moved = given(first);
        earlyBytes -= moved;
        if (moved === first.length) early.shift();
        else early[0] = first.subarray(moved);
      }
    },
    fail(error: Error): void {
      const failed = waiting;
      waiting = undefined;
      failed?.reject(error);
    },
    takeEarly(): Buffer {
      earlyBytes = 0;
      return Buffer.concat(early.splice(0));
    },
  };
};

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
