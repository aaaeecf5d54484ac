import { blake3 } from './blake3.ts';

/**
 * Format `volmove-merkle-1`. A volume of S bytes is cut into chunks of 1 MiB in address order; the last may be shorter.
 *   leaf  = BLAKE3(0x00 || u32le(length) || bytes)
 *   node  = BLAKE3(0x01 || left || right), the left subtree being the largest full power of two below the number of chunks
 *           (as in RFC 6962, 2.1); a single chunk is its leaf
 *   root  = BLAKE3(0x02 || u64le(S) || node of all chunks, or nothing when S is 0), written in lower-case hex
 * The first byte keeps leaves, nodes and roots apart, the lengths keep a short chunk apart from one that ends in zeroes. A hole
 * is a chunk of zeroes. Subtrees of zeroes alone are constants, so a 64 TiB hole costs a few dozen hashes. A change of any of
 * this is another format with another name: stored checkpoints and the agents of other hosts would disagree.
 */
export const FORMAT = 'volmove-merkle-1';
export const CHUNK_BYTES = 1024 * 1024;
export const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = Buffer.from([0x01]);
const ROOT = 0x02;

export const leafHash = (bytes: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt8(LEAF);
  head.writeUInt32LE(bytes.length, 1);
  return blake3.hash(head, bytes);
};

export const nodeHash = (left: Buffer, right: Buffer): Buffer => blake3.hash(NODE, left, right);

export const rootHash = (sizeBytes: number, top: Buffer | undefined): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUInt8(ROOT);
  head.writeBigUInt64LE(BigInt(sizeBytes), 1);
  return top ? blake3.hash(head, top) : blake3.hash(head);
};

const zeroSubtrees: Buffer[] = [];

/** The constant of a full subtree of 2^level zero chunks. */
export const zeroSubtree = (level: number): Buffer => {
  let found = zeroSubtrees[level];
  if (!found) {
    const below = level === 0 ? undefined : zeroSubtree(level - 1);
    found = below ? nodeHash(below, below) : leafHash(Buffer.alloc(CHUNK_BYTES));
    zeroSubtrees[level] = found;
  }
  return found;
};

export const zeroLeaf = (lengthBytes: number): Buffer =>
  lengthBytes === CHUNK_BYTES ? zeroSubtree(0) : leafHash(Buffer.alloc(lengthBytes));

export const chunkCount = (sizeBytes: number): number => Math.ceil(sizeBytes / CHUNK_BYTES);
export const chunkLength = (sizeBytes: number, chunk: number): number =>
  Math.min(CHUNK_BYTES, sizeBytes - chunk * CHUNK_BYTES);
