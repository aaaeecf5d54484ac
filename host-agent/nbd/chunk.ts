import { STRUCTURED_REPLY_MAGIC } from './protocol.ts';

/**
 * Structured replies (proto.md, "Structured reply chunk message"): a reply in one or more chunks, each of which says how long it
 * is, and of which the last one is marked.
 */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const;
/** Every type with this bit is an error, known or not. */
export const ERROR_CHUNK = 0x8000;
export const DONE = 1;
/** Of the base:allocation context: not allocated, and reads as zeroes. */
export const STATE = { HOLE: 1, ZERO: 2 } as const;

export const CHUNK_HEAD_BYTES = 20;
export const DESCRIPTOR_BYTES = 8;
/** Longest text of an error (proto.md, strings). */
export const MAX_TEXT_BYTES = 4096;

/** The offset that begins a chunk of content. */
export const CONTENT_OFFSET_BYTES = 8;

const writeHead = (to: Buffer, type: number, cookie: bigint, bodyBytes: number): Buffer => {
  to.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  to.writeUInt16BE(DONE, 4);
  to.writeUInt16BE(type, 6);
  to.writeBigUInt64BE(cookie, 8);
  to.writeUInt32BE(bodyBytes, 16);
  return to;
};

/** A reply of this one chunk; `body` goes behind what is returned. */
export const encodeOnlyChunk = (type: number, cookie: bigint, bodyBytes: number): Buffer =>
  writeHead(Buffer.allocUnsafe(CHUNK_HEAD_BYTES), type, cookie, bodyBytes);

/** What goes before the data of a READ that is answered whole. */
export const encodeDataHead = (cookie: bigint, offset: number, dataBytes: number): Buffer => {
  const head = Buffer.allocUnsafe(CHUNK_HEAD_BYTES + CONTENT_OFFSET_BYTES);
  head.writeBigUInt64BE(BigInt(offset), CHUNK_HEAD_BYTES);
  return writeHead(head, CHUNK.OFFSET_DATA, cookie, CONTENT_OFFSET_BYTES + dataBytes);
};

export const encodeErrorChunk = (cookie: bigint, error: number, text: string): Buffer => {
  const message = Buffer.from(text).subarray(0, MAX_TEXT_BYTES);
  const body = Buffer.allocUnsafe(6);
  body.writeUInt32BE(error, 0);
  body.writeUInt16BE(message.length, 4);
  return Buffer.concat([encodeOnlyChunk(CHUNK.ERROR, cookie, 6 + message.length), body, message]);
};

export interface ChunkHead {
  readonly done: boolean;
  readonly type: number;
  readonly bodyBytes: number;
}

/** `head` has CHUNK_HEAD_BYTES and begins with the magic; unknown flags mean nothing, as the protocol has it. */
export const decodeChunkHead = (head: Buffer): ChunkHead => ({
  done: (head.readUInt16BE(4) & DONE) !== 0,
  type: head.readUInt16BE(6),
  bodyBytes: head.readUInt32BE(16),
});
