import type { BlockDevice } from '../../domain/block-device.ts';
import { INFO, MAX_NAME_BYTES, MAX_REQUEST_BYTES, TRANSMISSION } from './protocol.ts';

/** What the two sides tell each other about an export during the negotiation, as bytes. */
export interface ExportInfo {
  readonly sizeBytes: bigint;
  readonly flags: number;
}

export interface BlockSizes {
  /** What offsets and lengths must be multiples of: a power of two from 1 to 64 KiB. */
  readonly minimumBytes: number;
  readonly preferredBytes: number;
  readonly maxPayloadBytes: number;
}

/** An export as a connection has it. */
export interface Offer {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  readonly structured: boolean;
}

const flagsOf = ({ device, readOnly, structured }: Offer): number => {
  const always =
    TRANSMISSION.HAS_FLAGS |
    TRANSMISSION.SEND_FLUSH |
    TRANSMISSION.SEND_FUA |
    TRANSMISSION.CAN_MULTI_CONN |
    (structured ? TRANSMISSION.SEND_DF : 0);
  if (readOnly) return always | TRANSMISSION.READ_ONLY;
  const zeroes = TRANSMISSION.SEND_WRITE_ZEROES | TRANSMISSION.SEND_FAST_ZERO;
  return always | zeroes | (device.trim ? TRANSMISSION.SEND_TRIM : 0);
};

/** Size and flags, as EXPORT_NAME answers them bare and INFO_EXPORT behind its type. */
export const encodeExport = (offer: Offer): Buffer => {
  const bytes = Buffer.alloc(10);
  bytes.writeBigUInt64BE(BigInt(offer.device.sizeBytes), 0);
  bytes.writeUInt16BE(flagsOf(offer), 8);
  return bytes;
};

const typed = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(type);
  return Buffer.concat([head, body]);
};

export const encodeInfoExport = (offer: Offer): Buffer => typed(INFO.EXPORT, encodeExport(offer));

/** What is told only if it is asked for: the export's name, and what it is in words. */
export const encodeInfoTexts = (asked: Asked, readOnly: boolean): Buffer[] =>
  asked.infos.flatMap((info) => {
    if (info === INFO.NAME) return [typed(info, Buffer.from(asked.name))];
    const description = readOnly ? 'a volume, to be read' : 'a volume, to be written';
    return info === INFO.DESCRIPTION ? [typed(info, Buffer.from(description))] : [];
  });

export const encodeInfoBlockSizes = (device: BlockDevice): Buffer => {
  const info = Buffer.alloc(14);
  info.writeUInt16BE(INFO.BLOCK_SIZE, 0);
  info.writeUInt32BE(1, 2);
  // the protocol asks for 512 at the least here
  info.writeUInt32BE(Math.max(512, device.blockSizeBytes), 6);
  info.writeUInt32BE(MAX_REQUEST_BYTES, 10);
  return info;
};

/** One INFO reply of a GO; undefined when it is of a kind that nobody needs, or malformed. */
export const decodeInfo = (data: Buffer): ExportInfo | BlockSizes | undefined => {
  const type = data.length >= 2 ? data.readUInt16BE(0) : undefined;
  if (type === INFO.EXPORT && data.length === 12)
    return { sizeBytes: data.readBigUInt64BE(2), flags: data.readUInt16BE(10) };
  if (type === INFO.BLOCK_SIZE && data.length === 14) {
    const minimumBytes = data.readUInt32BE(2);
    return { minimumBytes, preferredBytes: data.readUInt32BE(6), maxPayloadBytes: data.readUInt32BE(10) };
  }
  return undefined;
};

/** The data of a GO or INFO that asks for the block sizes too. */
export const encodeGo = (exportName: string): Buffer => {
  const name = Buffer.from(exportName);
  const data = Buffer.alloc(4 + name.length + 4);
  data.writeUInt32BE(name.length, 0);
  name.copy(data, 4);
  data.writeUInt16BE(1, 4 + name.length);
  data.writeUInt16BE(INFO.BLOCK_SIZE, 4 + name.length + 2);
  return data;
};

export interface Asked {
  readonly name: string;
  /** Numbers of the infos that are wanted. */
  readonly infos: readonly number[];
}

export type AskedName = Asked | { readonly wrong: 'malformed' | 'too long' };

export const checkedName = (name: Buffer, infos: readonly number[] = []): AskedName =>
  name.length > MAX_NAME_BYTES ? { wrong: 'too long' } : { name: name.toString('utf8'), infos };

/** The data of a GO or INFO. */
export const decodeGo = (data: Buffer): AskedName => {
  if (data.length < 6) return { wrong: 'malformed' };
  const nameBytes = data.readUInt32BE(0);
  const infosAt = 4 + nameBytes;
  if (infosAt + 2 > data.length || data.length !== infosAt + 2 + 2 * data.readUInt16BE(infosAt)) {
    return { wrong: 'malformed' };
  }
  const infos = new Set<number>();
  for (let at = infosAt + 2; at < data.length; at += 2) infos.add(data.readUInt16BE(at));
  return checkedName(data.subarray(4, infosAt), [...infos]);
};
