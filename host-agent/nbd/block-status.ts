import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import { DESCRIPTOR_BYTES, STATE } from './chunk.ts';

/** The server's answer to BLOCK_STATUS: what a device knows of its holes, as descriptors of base:allocation. */

/** The id by which a client is told of base:allocation; there is no other context. */
export const ALLOCATION_ID = 1;

/** Of the device's extents that one answer may look at: a client asks again behind what it was told. */
const MAX_EXTENTS = 4096;

const HOLE = STATE.HOLE | STATE.ZERO;
const DATA = 0;

const encode = (runs: readonly Extent[]): Buffer => {
  const body = Buffer.allocUnsafe(4 + runs.length * DESCRIPTOR_BYTES);
  body.writeUInt32BE(ALLOCATION_ID, 0);
  for (const [i, { lengthBytes, kind }] of runs.entries()) {
    body.writeUInt32BE(lengthBytes, 4 + i * DESCRIPTOR_BYTES);
    body.writeUInt32BE(kind === 'hole' ? HOLE : DATA, 8 + i * DESCRIPTOR_BYTES);
  }
  return body;
};

/**
 * From `offset` on, `lengthBytes` (more than 0) at the most; with `one` a single descriptor. It ends early when the extents are
 * many, never before the first. Neighbours of a kind are told as one.
 */
export const blockStatus = async (
  device: BlockDevice,
  offset: number,
  lengthBytes: number,
  one: boolean,
): Promise<Buffer> => {
  const runs: Extent[] = [];
  const end = offset + lengthBytes;
  let at = offset;
  let looked = 0;
  for await (const extent of device.extents(offset, lengthBytes)) {
    const until = Math.min(end, extent.offset + extent.lengthBytes);
    const last = runs.at(-1);
    if (one && last && last.kind !== extent.kind) break;
    if (until > at) {
      if (last?.kind === extent.kind) runs[runs.length - 1] = { ...last, lengthBytes: until - last.offset };
      else runs.push({ offset: at, lengthBytes: until - at, kind: extent.kind });
      at = until;
    }
    looked += 1;
    if (at === end || looked === MAX_EXTENTS) break;
  }
  // of what a device does not tell nothing may be believed
  return encode(runs.length > 0 ? runs : [{ offset, lengthBytes, kind: 'data' }]);
};
