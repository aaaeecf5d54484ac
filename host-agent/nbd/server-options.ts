import { DataPathError } from '../device/errors.ts';
import { ALLOCATION_ID } from './block-status.ts';
import {
  type AskedName,
  checkedName,
  decodeGo,
  encodeExport,
  encodeInfoBlockSizes,
  encodeInfoExport,
  encodeInfoTexts,
} from './export-info.ts';
import { ALLOCATION, BASE_WILDCARD, decodeMetaQuery, encodeContext } from './meta-context.ts';
import { EXPORT_NAME_PADDING_BYTES, encodeOptionReply, OPTION, REPLY } from './protocol.ts';
import type { Connection, Opened, Resolution } from './server-handshake.ts';

/** The answers to a client's options, except for STARTTLS where it is due. */
export type Outcome = 'more' | 'left' | Opened;

type Reply = (kind: number, body?: Buffer) => 'more';

const REFUSALS = {
  ExportNotOpen: REPLY.ERR_UNKNOWN,
  ExportSealed: REPLY.ERR_SHUTDOWN,
  PeerRefused: REPLY.ERR_POLICY,
} as const;

const openedOf = (
  { socket, reader, structured, mappedExport }: Connection,
  exportName: string,
  { device, readOnly }: Exclude<Resolution, { refused: string }>,
): Opened => ({ socket, reader, exportName, device, readOnly, structured, mapped: mappedExport === exportName });

export const answerOption = async (connection: Connection, option: number, data: Buffer): Promise<Outcome> => {
  const reply: Reply = (kind, body) => {
    connection.socket.write(encodeOptionReply(option, kind, body));
    return 'more';
  };
  if (option === OPTION.ABORT) {
    reply(REPLY.ACK);
    return 'left';
  }
  if (connection.tls === undefined || connection.secure) return answerInTheOpen(connection, option, data, reply);
  if (option === OPTION.EXPORT_NAME)
    throw new DataPathError('PeerRefused', 'the client asked for an export without TLS');
  // STARTTLS with data is the only one that comes here
  return reply(option === OPTION.STARTTLS ? REPLY.ERR_INVALID : REPLY.ERR_TLS_REQD);
};

const answerInTheOpen = async (
  connection: Connection,
  option: number,
  data: Buffer,
  reply: Reply,
): Promise<Outcome> => {
  const empty = data.length === 0;
  switch (option) {
    case OPTION.EXPORT_NAME:
      return openByName(connection, data);
    case OPTION.STARTTLS:
      return reply(connection.secure || !empty ? REPLY.ERR_INVALID : REPLY.ERR_POLICY);
    case OPTION.LIST:
      // nobody is told which exports there are: whoever may use one knows its name
      return reply(empty ? REPLY.ERR_POLICY : REPLY.ERR_INVALID);
    case OPTION.STRUCTURED_REPLY:
      connection.structured ||= empty;
      return reply(empty ? REPLY.ACK : REPLY.ERR_INVALID);
    case OPTION.LIST_META_CONTEXT:
    case OPTION.SET_META_CONTEXT:
      return answerContexts(connection, option, data, reply);
    case OPTION.GO:
    case OPTION.INFO:
      return openByGo(connection, option, decodeGo(data), reply);
    default:
      return reply(REPLY.ERR_UNSUP);
  }
};

/** The export is not looked up: every one has this context, and to ask must neither open nor tell anything. */
const answerContexts = (connection: Connection, option: number, data: Buffer, reply: Reply): 'more' => {
  const sets = option === OPTION.SET_META_CONTEXT;
  if (sets) connection.mappedExport = undefined;
  if (!connection.structured) return reply(REPLY.ERR_INVALID, Buffer.from('structured replies come first'));
  const asked = decodeMetaQuery(data);
  if (asked === 'too long') return reply(REPLY.ERR_TOO_BIG);
  if (asked === 'malformed') return reply(REPLY.ERR_INVALID);
  const { exportName, queries } = asked;
  const listed = !sets && (queries.length === 0 || queries.includes(BASE_WILDCARD));
  if (listed || queries.includes(ALLOCATION)) {
    if (sets) connection.mappedExport = exportName;
    reply(REPLY.META_CONTEXT, encodeContext(sets ? ALLOCATION_ID : 0, ALLOCATION));
  }
  return reply(REPLY.ACK);
};

const openByGo = async (connection: Connection, option: number, asked: AskedName, reply: Reply): Promise<Outcome> => {
  if ('wrong' in asked) return reply(asked.wrong === 'too long' ? REPLY.ERR_TOO_BIG : REPLY.ERR_INVALID);
  const resolved = await connection.resolveExport(asked.name, connection.peerFingerprint);
  if ('refused' in resolved) {
    return reply(REFUSALS[resolved.because ?? 'PeerRefused'], Buffer.from(resolved.refused));
  }
  reply(REPLY.INFO, encodeInfoExport({ ...resolved, structured: connection.structured }));
  reply(REPLY.INFO, encodeInfoBlockSizes(resolved.device));
  for (const text of encodeInfoTexts(asked, resolved.readOnly)) reply(REPLY.INFO, text);
  reply(REPLY.ACK);
  return option === OPTION.GO ? openedOf(connection, asked.name, resolved) : 'more';
};

/** The oldest way in: it has no word for a refusal, so the connection ends. */
const openByName = async (connection: Connection, data: Buffer): Promise<Opened> => {
  const asked = checkedName(data);
  if ('wrong' in asked) throw new DataPathError('ProtocolError', 'the name of the export is too long');
  const resolved = await connection.resolveExport(asked.name, connection.peerFingerprint);
  if ('refused' in resolved) throw new DataPathError('PeerRefused', resolved.refused);
  connection.socket.write(encodeExport({ ...resolved, structured: connection.structured }));
  if (!connection.noZeroes) connection.socket.write(Buffer.alloc(EXPORT_NAME_PADDING_BYTES));
  return openedOf(connection, asked.name, resolved);
};
