import { abortReason, type DataPathCode, DataPathError, throwIfAborted } from '../device/errors.ts';
import { type Connected, noAnswer } from './connect.ts';
import { COMMAND, ERROR, encodeRequest, MAX_REQUEST_BYTES } from './protocol.ts';
import { type Answer, readReply, type Waiting } from './reply.ts';
import { createSilence } from './silence.ts';
import { createSlots } from './slots.ts';

/** Requests and their answers over one connection; answers may come in any order. */
export interface Exchange {
  /**
   * Resolves when it is answered, with true unless the answer is the error that was let through. An aborted request ends the whole connection: its memory could not be given back while the
   * peer may still fill it or be sent it.
   */
  ask(request: Asked, signal: AbortSignal | undefined): Promise<boolean>;
  end(): void;
}

export interface Asked {
  readonly command: number;
  readonly flags?: number;
  readonly offset: number;
  readonly lengthBytes: number;
  /** In the words of a message. */
  readonly doing: string;
  readonly payload?: Uint8Array;
  /** Where a read's answer goes. */
  readonly into?: Buffer;
  /** Hears the body of a BLOCK_STATUS; what it throws ends the connection. */
  readonly onStatus?: (body: Buffer) => void;
  /** An error of the protocol that is an answer like any other. */
  readonly lets?: number;
}

interface Pending extends Waiting {
  readonly resolve: (fine: boolean) => void;
  readonly reject: (error: Error) => void;
}

const LIMITS = { requests: 16, bytes: MAX_REQUEST_BYTES };
/** A flush makes gigabytes durable and says nothing before it has. */
const FLUSH_PATIENCE = 4;

const CODES: Readonly<Record<number, DataPathCode>> = {
  [ERROR.ENOSPC]: 'NoSpace',
  [ERROR.ESHUTDOWN]: 'ExportSealed',
};

/** What an answer that is an error means. */
export const refusal = (
  { error, text }: Pick<Answer, 'error' | 'text'>,
  { command, doing }: Pick<Asked, 'command' | 'doing'>,
): DataPathError => {
  const code = CODES[error] ?? (command === COMMAND.FLUSH ? 'FlushFailed' : 'IoError');
  return new DataPathError(code, `${doing}: the other side answered error ${error}${text && ` (${text})`}`);
};

export const createExchange = ({ socket, reader, structured, answerTimeoutMs }: Connected): Exchange => {
  const pending = new Map<bigint, Pending>();
  const slots = createSlots(LIMITS);
  let cookie = 0n;
  let broken: Error | undefined;

  const breakAll = (error: Error): void => {
    broken ??= error;
    socket.destroy();
    for (const { reject } of pending.values()) reject(broken);
    pending.clear();
    silence.restart();
  };
  const patienceMs = (): number | undefined => {
    if (pending.size === 0) return undefined;
    const flushing = [...pending.values()].some(({ asked }) => asked.command === COMMAND.FLUSH);
    return flushing ? answerTimeoutMs * FLUSH_PATIENCE : answerTimeoutMs;
  };
  const silence = createSilence(patienceMs, (forMs) => breakAll(noAnswer(forMs)));
  const listen = async (): Promise<never> => {
    for (;;) {
      const { cookie: theirs, waiting, answer } = await readReply(reader, structured, (one) => pending.get(one));
      if (!answer) continue;
      pending.delete(theirs);
      silence.restart();
      const { asked, resolve, reject } = waiting;
      if (answer.error === ERROR.OK || answer.error === asked.lets) resolve(answer.error === ERROR.OK);
      else reject(refusal(answer, asked));
    }
  };
  reader.onArrival(() => silence.restart());
  reader.straight();
  listen().catch((error: unknown) => breakAll(error as Error));

  const send = (asked: Asked): Promise<boolean> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      const { command, flags = 0, offset, lengthBytes, payload } = asked;
      const mine = cookie++;
      const head = encodeRequest({ flags, command, cookie: mine, offset, lengthBytes });
      const startsWaiting = pending.size === 0 || command === COMMAND.FLUSH;
      pending.set(mine, { asked, resolve, reject });
      if (startsWaiting) silence.restart();
      socket.cork();
      socket.write(head);
      if (payload) socket.write(payload);
      socket.uncork();
    });

  return {
    async ask(asked, signal) {
      const bytes = asked.payload?.length ?? asked.into?.length ?? 0;
      const abort = (): void => breakAll(abortReason(signal as AbortSignal));
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await slots.take(bytes);
        try {
          throwIfAborted(signal);
          return await send(asked);
        } finally {
          slots.give(bytes);
        }
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
