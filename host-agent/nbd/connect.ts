import { connect, type Socket } from 'node:net';
import { abortReason, DataPathError, throwIfAborted } from '../device/errors.ts';
import { type ClientTls, type Entered, enter } from './client-handshake.ts';

/** From an address to an export that is open: TCP, TLS, negotiation, within one deadline. */
export interface NbdTarget {
  readonly host: string;
  readonly port: number;
  readonly exportName: string;
  /** Undefined: no TLS, for loopback and for tests. */
  readonly tls?: ClientTls | undefined;
  readonly signal: AbortSignal;
  /** Until the export is open, and after that for the next byte of an answer, in milliseconds; 30 s when left out. */
  readonly answerTimeoutMs?: number;
}

const ANSWER_MS = 30_000;
const KEEP_ALIVE_MS = 15_000;

export const noAnswer = (forMs: number, cause?: unknown): DataPathError =>
  new DataPathError('ConnectionLost', `there was no answer for ${forMs} ms`, { cause });

export interface Connected extends Entered {
  readonly answerTimeoutMs: number;
}

const connected = async (socket: Socket, host: string, port: number): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) =>
      reject(new DataPathError('ConnectionLost', `${host}:${port} cannot be reached: ${cause.message}`, { cause })),
    );
    socket.once('close', () =>
      reject(new DataPathError('ConnectionLost', `${host}:${port} cannot be reached: the attempt was ended`)),
    );
  });
  // later errors reach whoever waits through the reader; a socket without a listener would end the process
  socket.on('error', () => socket.destroy());
};

export const connectExport = async (target: NbdTarget): Promise<Connected> => {
  const { host, port, exportName, tls, signal, answerTimeoutMs = ANSWER_MS } = target;
  throwIfAborted(signal);
  const deadline = AbortSignal.timeout(answerTimeoutMs);
  const ends = AbortSignal.any([signal, deadline]);
  const socket = connect({ host, port, noDelay: true });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const destroy = (): void => {
    socket.destroy();
  };
  ends.addEventListener('abort', destroy, { once: true });
  try {
    await connected(socket, host, port);
    return { ...(await enter(socket, exportName, tls)), answerTimeoutMs };
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw abortReason(signal);
    throw deadline.aborted ? noAnswer(answerTimeoutMs, error) : error;
  } finally {
    ends.removeEventListener('abort', destroy);
  }
};
