import type { BlockDevice } from '../../domain/block-device.ts';
import { INFO, MAX_NAME_BYTES, MAX_REQUEST_BYTES, TRANSMISSION } from './protocol.ts';

/** What the two sides tell each other about an export during the negotiation, as bytes. */
export interface ExportInfo {
  readonly sizeBytes: bigint;
  readonly flags: number;
}

export interface BlockSizes {
  readonly preferredBytes: number;
  readonly maxPayloadBytes: number;
}

const flagsOf = (readOnly: boolean): number =>
  TRANSMISSION.HAS_FLAGS |
  TRANSMISSION.SEND_FLUSH |
  TRANSMISSION.SEND_FUA |
  TRANSMISSION.SEND_WRITE_ZEROES |
  (readOnly ? TRANSMISSION.READ_ONLY : 0);

/** Size and flags, as EXPORT_NAME answers them bare and INFO_EXPORT behind its type. */
export const encodeExport = (device: BlockDevice, readOnly: boolean): Buffer => {
  const bytes = Buffer.alloc(10);
  bytes.writeBigUInt64BE(BigInt(device.sizeBytes), 0);
  bytes.writeUInt16BE(flagsOf(readOnly), 8);
  return bytes;
};

export const encodeInfoExport = (device: BlockDevice, readOnly: boolean): Buffer => {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(INFO.EXPORT);
  return Buffer.concat([type, encodeExport(device, readOnly)]);
};

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
    return { preferredBytes: data.readUInt32BE(6), maxPayloadBytes: data.readUInt32BE(10) };
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

export type AskedName = { readonly name: string } | { readonly wrong: 'malformed' | 'too long' };

export const checkedName = (name: Buffer): AskedName =>
  name.length > MAX_NAME_BYTES ? { wrong: 'too long' } : { name: name.toString('utf8') };

/** The name in the data of a GO or INFO; which infos are asked for does not matter, the useful ones are always sent. */
export const decodeGo = (data: Buffer): AskedName => {
  if (data.length < 6) return { wrong: 'malformed' };
  const nameBytes = data.readUInt32BE(0);
  const infosAt = 4 + nameBytes;
  if (infosAt + 2 > data.length || data.length !== infosAt + 2 + 2 * data.readUInt16BE(infosAt)) {
    return { wrong: 'malformed' };
  }
  return checkedName(data.subarray(4, infosAt));
};
