import { connect, type Socket } from 'node:net';
import { abortReason, DataPathError, throwIfAborted } from '../device/errors.ts';
import { type ClientTls, type Entered, enter } from './client-handshake.ts';

/** From an address to an export that is open: TCP or a unix socket, TLS, negotiation, within one deadline. */
export type NbdTarget = NbdAddress & NbdWish;

type NbdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

interface NbdWish {
  readonly exportName: string;
  /** Undefined: no TLS, for loopback and for tests. */
  readonly tls?: ClientTls | undefined;
  readonly signal: AbortSignal;
  /** Until the export is open, and after that for the next byte of an answer, in milliseconds; 30 s when left out. */
  readonly answerTimeoutMs?: number;
  /** False: nobody will ask for extents (then the whole is data), so nothing is agreed on for it. */
  readonly mapped?: boolean;
}

const ANSWER_MS = 30_000;
const KEEP_ALIVE_MS = 15_000;

export const noAnswer = (forMs: number, cause?: unknown): DataPathError =>
  new DataPathError('ConnectionLost', `there was no answer for ${forMs} ms`, { cause });

export interface Connected extends Entered {
  readonly answerTimeoutMs: number;
}

const connected = async (socket: Socket, address: string): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) =>
      reject(new DataPathError('ConnectionLost', `${address} cannot be reached: ${cause.message}`, { cause })),
    );
    socket.once('close', () =>
      reject(new DataPathError('ConnectionLost', `${address} cannot be reached: the attempt was ended`)),
    );
  });
  // later errors reach whoever waits through the reader; a socket without a listener would end the process
  socket.on('error', () => socket.destroy());
};

export const connectExport = async (target: NbdTarget): Promise<Connected> => {
  const { exportName, tls, signal, answerTimeoutMs = ANSWER_MS, mapped = true } = target;
  throwIfAborted(signal);
  const deadline = AbortSignal.timeout(answerTimeoutMs);
  const ends = AbortSignal.any([signal, deadline]);
  const socket =
    'path' in target ? connect(target.path) : connect({ host: target.host, port: target.port, noDelay: true });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const destroy = (): void => {
    socket.destroy();
  };
  ends.addEventListener('abort', destroy, { once: true });
  try {
    await connected(socket, 'path' in target ? target.path : `${target.host}:${target.port}`);
    return { ...(await enter(socket, { exportName, tls, mapped })), answerTimeoutMs };
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw abortReason(signal);
    throw deadline.aborted ? noAnswer(answerTimeoutMs, error) : error;
  } finally {
    ends.removeEventListener('abort', destroy);
  }
};
