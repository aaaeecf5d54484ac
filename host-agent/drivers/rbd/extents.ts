import type { BlockDevice, Extent } from '../../../domain/block-device.ts';

/**
 * qemu looks at each object of what is asked for before it answers, and reads nothing for us meanwhile. So it is asked in pieces, for
 * the next one while the one before is copied.
 */
const PIECE_BYTES = 128 * 1024 * 1024;

type Extents = Pick<BlockDevice, 'extents'>;

const all = async (device: Extents, offset: number, lengthBytes: number, signal?: AbortSignal): Promise<Extent[]> => {
  const extents: Extent[] = [];
  for await (const extent of device.extents(offset, lengthBytes, signal)) extents.push(extent);
  return extents;
};

export async function* extentsInPieces(
  device: Extents,
  offset: number,
  lengthBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Extent> {
  const end = offset + lengthBytes;
  const ask = (at: number): Promise<Extent[]> | undefined => {
    if (at >= end) return undefined;
    const asked = all(device, at, Math.min(PIECE_BYTES, end - at), signal);
    // heard of in its turn, or never, when nobody goes on
    asked.catch(() => undefined);
    return asked;
  };
  let next = ask(offset);
  for (let at = offset; next; at += PIECE_BYTES) {
    const extents: Extent[] = await next;
    next = ask(at + PIECE_BYTES);
    yield* extents;
  }
}
