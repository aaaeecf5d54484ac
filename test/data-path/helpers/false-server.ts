import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { connectNbd } from '../../../host-agent/nbd/client.ts';
import { encodeContext } from '../../../host-agent/nbd/meta-context.ts';
import {
  COMMAND,
  decodeOption,
  decodeRequest,
  encodeOptionReply,
  HANDSHAKE,
  INIT_MAGIC,
  OPTION,
  OPTION_HEAD_BYTES,
  OPTION_MAGIC,
  REPLY,
  REQUEST_BYTES,
  type Request,
  STRUCTURED_REPLY_MAGIC,
  TRANSMISSION,
} from '../../../host-agent/nbd/protocol.ts';
import { createReader, type Reader } from '../../../host-agent/nbd/reader.ts';

/** A server that negotiates as it should, and then answers each request with the bytes that a test gives it. */
export interface Script {
  readonly sizeBytes: number;
  /** What goes back for a request; behind the `last` bytes the connection ends. */
  readonly answer: (request: Request) => Buffer | { readonly last: Buffer };
  readonly structured?: boolean;
  readonly minimumBytes?: number;
}

export const FALSE_CONTEXT_ID = 77;

const greeting = (): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(INIT_MAGIC, 0);
  bytes.writeBigUInt64BE(OPTION_MAGIC, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES, 16);
  return bytes;
};

const infoExport = (sizeBytes: number): Buffer => {
  const { HAS_FLAGS, SEND_FLUSH, SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES, SEND_FAST_ZERO } = TRANSMISSION;
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 2);
  bytes.writeUInt16BE(HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_TRIM | SEND_WRITE_ZEROES | SEND_FAST_ZERO, 10);
  return bytes;
};

const infoSizes = (minimumBytes: number): Buffer => {
  const bytes = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 16, 0, 2, 0, 0, 0]);
  bytes.writeUInt32BE(minimumBytes, 2);
  return bytes;
};

const letIn = async (socket: Socket, reader: Reader, script: Script): Promise<void> => {
  const { structured = true, minimumBytes = 1, sizeBytes } = script;
  socket.write(greeting());
  await reader.take(4);
  for (;;) {
    const head = decodeOption(await reader.take(OPTION_HEAD_BYTES));
    if (!head) return;
    await reader.take(head.lengthBytes);
    const reply = (kind: number, data?: Buffer): boolean => socket.write(encodeOptionReply(head.option, kind, data));
    if (head.option === OPTION.STRUCTURED_REPLY) reply(structured ? REPLY.ACK : REPLY.ERR_UNSUP);
    else {
      if (head.option === OPTION.SET_META_CONTEXT)
        reply(REPLY.META_CONTEXT, encodeContext(FALSE_CONTEXT_ID, 'base:allocation'));
      else {
        reply(REPLY.INFO, infoExport(sizeBytes));
        reply(REPLY.INFO, infoSizes(minimumBytes));
      }
      reply(REPLY.ACK);
      if (head.option === OPTION.GO) return;
    }
  }
};

const serve = async (socket: Socket, script: Script): Promise<void> => {
  const reader = createReader(socket);
  await letIn(socket, reader, script);
  for (;;) {
    const request = decodeRequest(await reader.take(REQUEST_BYTES));
    if (!request || request.command === COMMAND.DISC) break;
    if (request.command === COMMAND.WRITE) await reader.take(request.lengthBytes);
    const bytes = script.answer(request);
    socket.write('last' in bytes ? bytes.last : bytes);
    if ('last' in bytes) break;
  }
  socket.end();
};

/** Our client, let in by it. */
export const clientOfFalse = async (script: Script): Promise<BlockDevice> => {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    serve(socket, script).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const signal = new AbortController().signal;
  const remote = await connectNbd({ host: '127.0.0.1', port, exportName: 'there', signal, answerTimeoutMs: 5_000 });
  onTestFinished(() => remote.close());
  return remote;
};

export const chunk = (cookie: bigint, type: number, flags: number, body: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  head.writeUInt16BE(flags, 4);
  head.writeUInt16BE(type, 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeUInt32BE(body.length, 16);
  return Buffer.concat([head, body]);
};

export const dataBody = (offset: number, data: Uint8Array): Buffer => {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(offset));
  return Buffer.concat([head, data]);
};

export const holeBody = (offset: number, lengthBytes: number): Buffer => {
  const body = Buffer.alloc(12);
  body.writeBigUInt64BE(BigInt(offset), 0);
  body.writeUInt32BE(lengthBytes, 8);
  return body;
};

/** Of ERROR; with an offset of ERROR_OFFSET. */
export const errorBody = (error: number, text: string, offset?: number): Buffer => {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(6);
  head.writeUInt32BE(error, 0);
  head.writeUInt16BE(bytes.length, 4);
  return Buffer.concat([head, bytes, offset === undefined ? Buffer.alloc(0) : dataBody(offset, Buffer.alloc(0))]);
};

export const statusBody = (contextId: number, ...descriptors: readonly (readonly [number, number])[]): Buffer => {
  const body = Buffer.alloc(4 + descriptors.length * 8);
  body.writeUInt32BE(contextId, 0);
  for (const [i, [lengthBytes, flags]] of descriptors.entries()) {
    body.writeUInt32BE(lengthBytes, 4 + i * 8);
    body.writeUInt32BE(flags, 8 + i * 8);
  }
  return body;
};
