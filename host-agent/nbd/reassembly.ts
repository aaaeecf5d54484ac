import { DataPathError } from '../device/errors.ts';
import { CHUNK, type ChunkHead, CONTENT_OFFSET_BYTES, DESCRIPTOR_BYTES, ERROR_CHUNK, MAX_TEXT_BYTES } from './chunk.ts';
import { createCoverage } from './coverage.ts';
import type { Asked } from './exchange.ts';
import { COMMAND, ERROR } from './protocol.ts';
import type { Reader } from './reader.ts';
import type { Answer } from './reply.ts';

/**
 * The chunks of one reply, put together: content goes straight to its place in the memory that waits for it, never outside of it
 * and never twice to the same place. Whatever the protocol forbids is a ProtocolError, and the connection is over.
 */
export interface Reassembly {
  /** Reads the rest of the chunk. Undefined while more of them are to come. */
  take(head: ChunkHead, reader: Reader): Promise<Answer | undefined>;
}

const HOLE_BYTES = 12;
const ERROR_HEAD_BYTES = 6;
/** The text, what we know of behind it, and some room for what we do not. */
const MAX_ERROR_BYTES = ERROR_HEAD_BYTES + MAX_TEXT_BYTES + 64;
/** Servers should not send more descriptors in one chunk (proto.md). */
const MAX_STATUS_BYTES = 4 + DESCRIPTOR_BYTES * 2 ** 20;
/** Far more than anybody has to say about one request; without an end to them a reply need never end. */
const MAX_ERROR_CHUNKS = 1024;

const illegal = (what: string): DataPathError => new DataPathError('ProtocolError', `the other side sent ${what}`);

export const createReassembly = (asked: Asked): Reassembly => {
  const { command, offset: start, lengthBytes, into } = asked;
  const covered = createCoverage();
  let answer: Answer = { error: ERROR.OK, text: '' };
  let errors = 0;
  let hasStatus = false;

  /** The part of the memory for [offset, offset + bytes) of the export. */
  const placeFor = (offset: bigint, bytes: number): Buffer => {
    if (command !== COMMAND.READ || !into) throw illegal('content that was not asked for');
    const from = Number(offset - BigInt(start));
    if (bytes === 0 || from < 0 || from + bytes > lengthBytes) throw illegal('content of another place');
    if (!covered.add(from, from + bytes)) throw illegal('the same content twice, or in too many pieces');
    return into.subarray(from, from + bytes);
  };

  const takeData = async (bodyBytes: number, reader: Reader): Promise<void> => {
    const dataBytes = bodyBytes - CONTENT_OFFSET_BYTES;
    if (dataBytes <= 0 || dataBytes > lengthBytes) throw illegal(`a chunk of data of ${bodyBytes} bytes`);
    await reader.fill(placeFor((await reader.take(CONTENT_OFFSET_BYTES)).readBigUInt64BE(0), dataBytes));
  };

  const takeHole = async (bodyBytes: number, reader: Reader): Promise<void> => {
    if (bodyBytes !== HOLE_BYTES) throw illegal(`a hole of ${bodyBytes} bytes`);
    const body = await reader.take(HOLE_BYTES);
    placeFor(body.readBigUInt64BE(0), body.readUInt32BE(8)).fill(0);
  };

  const takeStatus = async (bodyBytes: number, reader: Reader): Promise<void> => {
    if (!asked.onStatus) throw illegal('a status that was not asked for');
    if (hasStatus || bodyBytes <= 4 || bodyBytes > MAX_STATUS_BYTES || (bodyBytes - 4) % DESCRIPTOR_BYTES !== 0)
      throw illegal(`a status of ${bodyBytes} bytes, or a second one`);
    hasStatus = true;
    asked.onStatus(await reader.take(bodyBytes));
  };

  const takeError = async ({ type, bodyBytes }: ChunkHead, reader: Reader): Promise<void> => {
    errors += 1;
    if (bodyBytes < ERROR_HEAD_BYTES || bodyBytes > MAX_ERROR_BYTES || errors > MAX_ERROR_CHUNKS)
      throw illegal(`${errors} errors, the last of ${bodyBytes} bytes`);
    const body = await reader.take(bodyBytes);
    const error = body.readUInt32BE(0);
    const textEnd = ERROR_HEAD_BYTES + body.readUInt16BE(4);
    const behind = type === CHUNK.ERROR_OFFSET ? 8 : 0;
    if (error === ERROR.OK || textEnd + behind > bodyBytes) throw illegal('an error that is none');
    if (behind > 0) {
      const at = body.readBigUInt64BE(textEnd) - BigInt(start);
      if (at < 0n || at >= lengthBytes) throw illegal('an error of another place');
    }
    // the first one is the reason
    if (errors === 1) answer = { error, text: body.toString('utf8', ERROR_HEAD_BYTES, textEnd) };
  };

  const takeBody = (head: ChunkHead, reader: Reader): Promise<void> | undefined => {
    const { type, bodyBytes, done } = head;
    switch (type) {
      case CHUNK.NONE:
        if (bodyBytes > 0 || !done) throw illegal('an empty chunk that is not empty, or not the last');
        return undefined;
      case CHUNK.OFFSET_DATA:
        return takeData(bodyBytes, reader);
      case CHUNK.OFFSET_HOLE:
        return takeHole(bodyBytes, reader);
      case CHUNK.BLOCK_STATUS:
        return takeStatus(bodyBytes, reader);
      default:
        if ((type & ERROR_CHUNK) === 0) throw illegal(`a chunk of the type ${type}`);
        return takeError(head, reader);
    }
  };

  return {
    async take(head, reader) {
      await takeBody(head, reader);
      if (!head.done) return undefined;
      const complete = command === COMMAND.READ ? covered.bytes === lengthBytes : hasStatus || !asked.onStatus;
      if (answer.error === ERROR.OK && !complete) throw illegal('less than it was asked for');
      return answer;
    },
  };
};
