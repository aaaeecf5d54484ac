import { DataPathError } from '../device/errors.ts';
import { CHUNK_HEAD_BYTES, decodeChunkHead } from './chunk.ts';
import type { Asked } from './exchange.ts';
import { COMMAND, ERROR, SIMPLE_REPLY_BYTES, SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC } from './protocol.ts';
import type { Reader } from './reader.ts';
import { createReassembly, type Reassembly } from './reassembly.ts';

/** The client's side of a reply: simple or in chunks, read into the memory that waits for it. */
export interface Answer {
  /** The protocol's number. */
  readonly error: number;
  /** What the server says about the error; empty when it says nothing. */
  readonly text: string;
}

const OK: Answer = { error: ERROR.OK, text: '' };

/** One request that waits. The chunks of its reply may come between those of others. */
export interface Waiting {
  readonly asked: Asked;
  reassembly?: Reassembly;
}

const illegal = (what: string): DataPathError => new DataPathError('ProtocolError', `the other side answered ${what}`);

const readSimple = async (reader: Reader, structured: boolean, head: Buffer, { asked }: Waiting): Promise<Answer> => {
  const error = head.readUInt32BE(4);
  if (structured && (asked.command === COMMAND.READ || (asked.command === COMMAND.BLOCK_STATUS && error === ERROR.OK)))
    throw illegal('with a simple reply where a structured one was agreed on');
  if (error !== ERROR.OK) return { error, text: '' };
  if (asked.into) await reader.fill(asked.into);
  return OK;
};

/** Reads what comes next; the request that it belongs to, and its answer when that is complete. */
export const readReply = async <W extends Waiting>(
  reader: Reader,
  structured: boolean,
  find: (cookie: bigint) => W | undefined,
): Promise<{ readonly cookie: bigint; readonly waiting: W; readonly answer: Answer | undefined }> => {
  // both kinds begin with the magic and have the cookie in the same place
  const head = await reader.take(SIMPLE_REPLY_BYTES);
  const magic = head.readUInt32BE(0);
  const cookie = head.readBigUInt64BE(8);
  const waiting = find(cookie);
  if (!waiting) throw illegal('what was not asked');
  if (magic === SIMPLE_REPLY_MAGIC) {
    if (waiting.reassembly) throw illegal('with a simple reply behind a chunk');
    return { cookie, waiting, answer: await readSimple(reader, structured, head, waiting) };
  }
  if (magic !== STRUCTURED_REPLY_MAGIC || !structured) throw illegal('what is no reply');
  const length = await reader.take(CHUNK_HEAD_BYTES - SIMPLE_REPLY_BYTES);
  waiting.reassembly ??= createReassembly(waiting.asked);
  return {
    cookie,
    waiting,
    answer: await waiting.reassembly.take(decodeChunkHead(Buffer.concat([head, length])), reader),
  };
};
