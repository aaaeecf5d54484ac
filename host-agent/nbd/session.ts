import type { Socket } from 'node:net';
import { DataPathError } from '../device/errors.ts';
import { act, type Outcome, payloadBytes } from './act.ts';
import type { LiveExport, LiveExports } from './live-exports.ts';
import type { Payloads } from './payloads.ts';
import { COMMAND, decodeRequest, ERROR, MAX_REQUEST_BYTES, REQUEST_BYTES, type Request } from './protocol.ts';
import type { Reader } from './reader.ts';
import { replyParts } from './replies.ts';
import type { Opened } from './server-handshake.ts';
import { createSlots } from './slots.ts';

/** One connection after its negotiation: requests come in, are served many at once, and are answered as they end. */
export interface Session extends Opened {
  readonly live: LiveExport;
}

export type OnProblem = (what: string, error: unknown) => void;

export interface Serving {
  readonly exports: LiveExports;
  readonly payloads: Payloads;
  readonly onProblem: OnProblem;
}

/** What is served at once on one connection; the next request is not read before there is room. */
const LIMITS = { requests: 16, bytes: MAX_REQUEST_BYTES };

/** Resolves when the bytes have left, or never will: a client that reads no answers gets no more of them made. */
const sent = (socket: Socket, parts: readonly Buffer[]): Promise<void> =>
  new Promise((resolve) => {
    socket.cork();
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(parts.at(-1) ?? '', () => resolve());
    socket.uncork();
  });

const NOTHING = Buffer.alloc(0);
const SEALED: Outcome = { error: ERROR.ESHUTDOWN, text: 'the export is sealed' };

const answer = async (
  session: Session,
  { exports, payloads, onProblem }: Serving,
  request: Request,
  memory: Buffer,
): Promise<void> => {
  const { socket, exportName, live } = session;
  let outcome = SEALED;
  if (!live.ended) {
    const io = act(session, request, memory, (failure) => onProblem(`export ${exportName}`, failure));
    // in the same turn as the question above, or an end could slip between
    exports.track(
      live,
      io.then(() => undefined),
    );
    outcome = await io;
  }
  const parts = replyParts(session.structured, request, outcome, memory);
  const sends = parts.includes(memory);
  // a write's memory is free for the next request while the answer is on its way
  if (!sends) payloads.giveBack(memory);
  await sent(socket, parts);
  if (sends) payloads.giveBack(memory);
};

const receive = async (reader: Reader, memory: Buffer, payloads: Payloads): Promise<void> => {
  try {
    await reader.fill(memory);
  } catch (error) {
    payloads.giveBack(memory);
    throw error;
  }
};

/** Returns when the client has said goodbye; rejects when it left without, or sent what is no NBD. */
export const serve = async (session: Session, serving: Serving): Promise<void> => {
  const { reader, socket, live } = session;
  const slots = createSlots(LIMITS);
  reader.straight();
  live.sockets.add(socket);
  try {
    // ended while its device was being opened
    if (live.ended) return;
    for (;;) {
      const request = decodeRequest(await reader.take(REQUEST_BYTES));
      if (!request) throw new DataPathError('ProtocolError', 'the client sent what is no request');
      if (request.command === COMMAND.DISC) break;
      const bytes = payloadBytes(request);
      if (bytes > MAX_REQUEST_BYTES) throw new DataPathError('ProtocolError', `a write of ${bytes} bytes is too long`);
      await slots.take(bytes);
      const memory = bytes > 0 ? serving.payloads.take(bytes) : NOTHING;
      if (request.command === COMMAND.WRITE) await receive(reader, memory, serving.payloads);
      void answer(session, serving, request, memory).finally(() => slots.give(bytes));
    }
    await slots.idle();
  } finally {
    socket.destroy();
    live.sockets.delete(socket);
  }
};
