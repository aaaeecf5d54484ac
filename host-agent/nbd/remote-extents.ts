import type { Extent } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { DESCRIPTOR_BYTES, STATE } from './chunk.ts';
import type { Exchange } from './exchange.ts';
import { COMMAND } from './protocol.ts';

/**
 * The extents of an export by BLOCK_STATUS, asked for as the caller goes on: one answer is in memory, however large the export.
 * What reads as zeroes is a hole here, allocated or not; what is merely not allocated is data.
 */
export interface Remote {
  readonly exchange: Exchange;
  readonly sizeBytes: number;
  /** A power of two up to 64 KiB: what requests must be multiples of. */
  readonly minimumBytes: number;
  /** Of base:allocation, as the server has named it. */
  readonly contextId: number;
}

/** The most that a request has room for, as a multiple of every minimum that a server may have. */
const MAX_ASKED_BYTES = 2 ** 32 - 65_536;

const illegal = (what: string): DataPathError => new DataPathError('ProtocolError', `the other side sent ${what}`);

interface Range {
  readonly from: number;
  readonly askedBytes: number;
  /** What is not known yet begins here, not before `from`. */
  readonly at: number;
}

/** What `body` says about the range and perhaps beyond, at least one byte behind `at`; neighbours of a kind as one. */
const decode = (body: Buffer, contextId: number, { from, askedBytes, at: known }: Range): Extent[] => {
  if (body.readUInt32BE(0) !== contextId) throw illegal('the status of another context');
  const extents: Extent[] = [];
  let at = from;
  for (let i = 4; i < body.length; i += DESCRIPTOR_BYTES) {
    const lengthBytes = body.readUInt32BE(i);
    if (lengthBytes === 0) throw illegal('a status of no length');
    if (at - from >= askedBytes) throw illegal('a status of what was not asked for');
    const kind = (body.readUInt32BE(i + 4) & STATE.ZERO) === 0 ? 'data' : 'hole';
    const last = extents.at(-1);
    if (last?.kind === kind) extents[extents.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes };
    else extents.push({ offset: at, lengthBytes, kind });
    at += lengthBytes;
  }
  // it may end in front of what was asked for only where that was widened to a multiple of the minimum
  if (at <= known) throw illegal('a status that does not go on');
  return extents;
};

export async function* remoteExtents(
  { exchange, sizeBytes, minimumBytes, contextId }: Remote,
  offset: number,
  lengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Extent> {
  const end = offset + lengthBytes;
  for (let at = offset; at < end; ) {
    const from = Math.floor(at / minimumBytes) * minimumBytes;
    const wanted = Math.min(sizeBytes, Math.ceil(end / minimumBytes) * minimumBytes) - from;
    const range = { from, askedBytes: Math.min(MAX_ASKED_BYTES, wanted), at };
    let extents: Extent[] = [];
    await exchange.ask(
      {
        command: COMMAND.BLOCK_STATUS,
        offset: from,
        lengthBytes: range.askedBytes,
        doing: `extents at ${from}`,
        onStatus: (body) => {
          extents = decode(body, contextId, range);
        },
      },
      signal,
    );
    for (const extent of extents) {
      const until = Math.min(end, extent.offset + extent.lengthBytes);
      if (until > at) yield { offset: at, lengthBytes: until - at, kind: extent.kind };
      at = Math.max(at, until);
    }
  }
}
