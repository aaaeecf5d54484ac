import type { Outcome } from './act.ts';
import { CHUNK, encodeDataHead, encodeErrorChunk, encodeOnlyChunk } from './chunk.ts';
import { COMMAND, ERROR, encodeReply, type Request } from './protocol.ts';

/**
 * What goes over the wire for an outcome, in parts that are sent as they are: the memory of a READ is never copied. Where the
 * protocol lets the server choose, the reply is a simple one, which is shorter.
 */
export const replyParts = (structured: boolean, request: Request, outcome: Outcome, memory: Buffer): Buffer[] => {
  const { command, cookie, offset } = request;
  const { error, text = '', body } = outcome;
  const reads = command === COMMAND.READ;
  if (!structured)
    return reads && error === ERROR.OK ? [encodeReply(error, cookie), memory] : [encodeReply(error, cookie)];
  if (error !== ERROR.OK) return [encodeErrorChunk(cookie, error, text)];
  if (body) return [encodeOnlyChunk(CHUNK.BLOCK_STATUS, cookie, body.length), body];
  if (!reads) return [encodeReply(error, cookie)];
  // a chunk of content has one byte at the least
  return memory.length > 0
    ? [encodeDataHead(cookie, offset, memory.length), memory]
    : [encodeOnlyChunk(CHUNK.NONE, cookie, 0)];
};
