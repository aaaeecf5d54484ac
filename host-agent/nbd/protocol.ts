/**
 * The NBD protocol as the agents speak it (doc/proto.md of the NBD project): the numbers of every phase, requests, simple
 * replies and options. Structured replies stand in chunk.ts, metadata contexts in meta-context.ts. All numbers are big-endian.
 * The names are the protocol's.
 */
export const INIT_MAGIC = 0x4e42444d41474943n; // "NBDMAGIC"
export const OPTION_MAGIC = 0x49484156454f5054n; // "IHAVEOPT"
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;

export const HANDSHAKE = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const;
export const OPTION = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
} as const;
export const REPLY = {
  ACK: 1,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: 0x80000001,
  ERR_POLICY: 0x80000002,
  ERR_INVALID: 0x80000003,
  ERR_TLS_REQD: 0x80000005,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_TOO_BIG: 0x80000009,
} as const;
/** Every option reply from here on is a refusal. */
export const FIRST_REPLY_ERROR = REPLY.ERR_UNSUP;
export const INFO = { EXPORT: 0, NAME: 1, DESCRIPTION: 2, BLOCK_SIZE: 3 } as const;
export const TRANSMISSION = {
  HAS_FLAGS: 1,
  READ_ONLY: 2,
  SEND_FLUSH: 4,
  SEND_FUA: 8,
  SEND_TRIM: 32,
  SEND_WRITE_ZEROES: 64,
  SEND_DF: 128,
  CAN_MULTI_CONN: 256,
  SEND_FAST_ZERO: 2048,
} as const;
export const COMMAND = { READ: 0, WRITE: 1, DISC: 2, FLUSH: 3, TRIM: 4, WRITE_ZEROES: 6, BLOCK_STATUS: 7 } as const;
export const FLAG = { FUA: 1, NO_HOLE: 2, DF: 4, REQ_ONE: 8, FAST_ZERO: 16 } as const;
export const ERROR = {
  OK: 0,
  EPERM: 1,
  EIO: 5,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;

/** Largest READ or WRITE, in bytes; what every implementation should take (proto.md, block size constraints). */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
/** Longest string, a name among them (proto.md). */
export const MAX_NAME_BYTES = 4096;
/** Longest option that is read at all. */
export const MAX_OPTION_BYTES = 16 * 1024;
/** Sent after the flags of an EXPORT_NAME unless both sides have agreed on NO_ZEROES. */
export const EXPORT_NAME_PADDING_BYTES = 124;

export interface Request {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly lengthBytes: number;
}

export const REQUEST_BYTES = 28;
export const SIMPLE_REPLY_BYTES = 16;
export const OPTION_HEAD_BYTES = 16;
export const OPTION_REPLY_HEAD_BYTES = 20;

export const encodeRequest = ({ flags, command, cookie, offset, lengthBytes }: Request): Buffer => {
  const head = Buffer.allocUnsafe(REQUEST_BYTES);
  head.writeUInt32BE(REQUEST_MAGIC, 0);
  head.writeUInt16BE(flags, 4);
  head.writeUInt16BE(command, 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeBigUInt64BE(BigInt(offset), 16);
  head.writeUInt32BE(lengthBytes, 24);
  return head;
};

/** Undefined when it is no request at all: then the connection cannot be followed any more. */
export const decodeRequest = (head: Buffer): Request | undefined => {
  if (head.readUInt32BE(0) !== REQUEST_MAGIC) return undefined;
  const offset = head.readBigUInt64BE(16);
  return {
    flags: head.readUInt16BE(4),
    command: head.readUInt16BE(6),
    cookie: head.readBigUInt64BE(8),
    // no device is that large: out of range stays out of range
    offset: offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(offset),
    lengthBytes: head.readUInt32BE(24),
  };
};

export const encodeReply = (error: number, cookie: bigint): Buffer => {
  const head = Buffer.allocUnsafe(SIMPLE_REPLY_BYTES);
  head.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  head.writeUInt32BE(error, 4);
  head.writeBigUInt64BE(cookie, 8);
  return head;
};

export const encodeOption = (option: number, data: Buffer): Buffer => {
  const head = Buffer.allocUnsafe(OPTION_HEAD_BYTES);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(data.length, 12);
  return Buffer.concat([head, data]);
};

export const decodeOption = (head: Buffer): { readonly option: number; readonly lengthBytes: number } | undefined =>
  head.readBigUInt64BE(0) === OPTION_MAGIC
    ? { option: head.readUInt32BE(8), lengthBytes: head.readUInt32BE(12) }
    : undefined;

export const encodeOptionReply = (option: number, reply: number, data: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.allocUnsafe(OPTION_REPLY_HEAD_BYTES);
  head.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(reply, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
};
