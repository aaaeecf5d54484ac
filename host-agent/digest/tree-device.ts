import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import { HASH_BYTES } from './tree-hash.ts';
import { levelOffsets, type NodeReader } from './tree-layout.ts';

/** Hashes as a read-only device, so that any NBD client can read them, and the other way round. */

/** Hashes that one read of a device asks for at once; bounds its memory. */
const MAX_NODES = 4096;

const readOnly = async (): Promise<never> => {
  throw new DataPathError('OutOfRange', 'the hashes of a volume can only be read');
};

/** `levels`: how many levels of the tree the device shows, from the leaves upwards. */
export const nodesDevice = (
  reader: NodeReader,
  levels: 'leaves' | 'all',
  close: () => Promise<void> = async () => undefined,
): BlockDevice => {
  const offsets = levels === 'all' ? levelOffsets(reader.sizeBytes) : levelOffsets(reader.sizeBytes).slice(0, 2);
  const sizeBytes = offsets.at(-1) ?? 0;

  /** The part of one level that lies in [offset, offset + target.length). */
  const readLevel = async (level: number, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void> => {
    const start = offsets[level] as number;
    const from = Math.max(offset, start) - start;
    const end = Math.min(offset + target.length, offsets[level + 1] as number) - start;
    if (from >= end) return;
    const last = Math.ceil(end / HASH_BYTES);
    for (let first = Math.floor(from / HASH_BYTES); first < last; first += MAX_NODES) {
      const nodes = await reader.nodes(level, first, Math.min(MAX_NODES, last - first), signal);
      const at = first * HASH_BYTES;
      const skip = Math.max(0, from - at);
      target.set(nodes.subarray(skip, end - at), start + at + skip - offset);
    }
  };

  return {
    sizeBytes,
    blockSizeBytes: HASH_BYTES,
    async read(offset, target, signal) {
      if (offset < 0 || offset + target.length > sizeBytes)
        throw new DataPathError('OutOfRange', `[${offset}, ${offset + target.length}) of ${sizeBytes} bytes of hashes`);
      for (let level = 0; level + 1 < offsets.length; level++) await readLevel(level, offset, target, signal);
    },
    write: readOnly,
    writeZeroes: readOnly,
    flush: async () => undefined,
    async *extents(offset, lengthBytes) {
      if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
    },
    close,
  };
};

/** The tree of a volume of `sizeBytes` behind such a device, a connection to a peer's for example. */
export const nodesOf = (device: BlockDevice, sizeBytes: number): NodeReader => {
  const offsets = levelOffsets(sizeBytes);
  return {
    sizeBytes,
    async nodes(level, first, count, signal) {
      const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
      await device.read((offsets[level] ?? 0) + first * HASH_BYTES, hashes, signal);
      return hashes;
    },
  };
};
