import { DataPathError } from '../device/errors.ts';
import {
  type AskedName,
  checkedName,
  decodeGo,
  encodeExport,
  encodeInfoBlockSizes,
  encodeInfoExport,
} from './export-info.ts';
import { EXPORT_NAME_PADDING_BYTES, encodeOptionReply, OPTION, REPLY } from './protocol.ts';
import type { Connection, Opened, Resolution } from './server-handshake.ts';

/** The answers to a client's options, except for STARTTLS where it is due. */
export type Outcome = 'more' | 'left' | Opened;

const REFUSALS = {
  ExportNotOpen: REPLY.ERR_UNKNOWN,
  ExportSealed: REPLY.ERR_SHUTDOWN,
  PeerRefused: REPLY.ERR_POLICY,
} as const;

const openedOf = (
  { socket, reader }: Connection,
  exportName: string,
  { device, readOnly }: Exclude<Resolution, { refused: string }>,
): Opened => ({ socket, reader, exportName, device, readOnly });

export const answerOption = async (connection: Connection, option: number, data: Buffer): Promise<Outcome> => {
  const reply = (kind: number, body?: Buffer): 'more' => {
    connection.socket.write(encodeOptionReply(option, kind, body));
    return 'more';
  };
  if (option === OPTION.ABORT) {
    reply(REPLY.ACK);
    return 'left';
  }
  const tooEarly = connection.tls !== undefined && !connection.secure;
  switch (option) {
    case OPTION.EXPORT_NAME:
      if (tooEarly) throw new DataPathError('PeerRefused', 'the client asked for an export without TLS');
      return openByName(connection, data);
    case OPTION.STARTTLS:
      return reply(connection.secure ? REPLY.ERR_UNSUP : data.length > 0 ? REPLY.ERR_INVALID : REPLY.ERR_POLICY);
    case OPTION.LIST:
      // nobody is told which exports there are: whoever may use one knows its name
      return reply(tooEarly ? REPLY.ERR_TLS_REQD : REPLY.ERR_POLICY);
    case OPTION.GO:
    case OPTION.INFO:
      return tooEarly ? reply(REPLY.ERR_TLS_REQD) : openByGo(connection, option, decodeGo(data), reply);
    default:
      return reply(tooEarly ? REPLY.ERR_TLS_REQD : REPLY.ERR_UNSUP);
  }
};

const openByGo = async (
  connection: Connection,
  option: number,
  asked: AskedName,
  reply: (kind: number, body?: Buffer) => 'more',
): Promise<Outcome> => {
  if ('wrong' in asked) return reply(asked.wrong === 'too long' ? REPLY.ERR_TOO_BIG : REPLY.ERR_INVALID);
  const resolved = await connection.resolveExport(asked.name, connection.peerFingerprint);
  if ('refused' in resolved) {
    return reply(REFUSALS[resolved.because ?? 'PeerRefused'], Buffer.from(resolved.refused));
  }
  reply(REPLY.INFO, encodeInfoExport(resolved.device, resolved.readOnly));
  reply(REPLY.INFO, encodeInfoBlockSizes(resolved.device));
  reply(REPLY.ACK);
  return option === OPTION.GO ? openedOf(connection, asked.name, resolved) : 'more';
};

/** The oldest way in: it has no word for a refusal, so the connection ends. */
const openByName = async (connection: Connection, data: Buffer): Promise<Opened> => {
  const asked = checkedName(data);
  if ('wrong' in asked) throw new DataPathError('ProtocolError', 'the name of the export is too long');
  const resolved = await connection.resolveExport(asked.name, connection.peerFingerprint);
  if ('refused' in resolved) throw new DataPathError('PeerRefused', resolved.refused);
  connection.socket.write(encodeExport(resolved.device, resolved.readOnly));
  if (!connection.noZeroes) connection.socket.write(Buffer.alloc(EXPORT_NAME_PADDING_BYTES));
  return openedOf(connection, asked.name, resolved);
};
