import { Blake3Hasher } from '@napi-rs/blake-hash';

/**
 * Format `volmove-merkle-1`. A volume of S bytes is cut into chunks of 1 MiB in address order; the last may be shorter.
 *   leaf  = BLAKE3(0x00 || u32le(length) || bytes)
 *   node  = BLAKE3(0x01 || left || right), the left subtree being the largest full power of two (as in RFC 6962, 2.1)
 *   root  = BLAKE3(0x02 || u64le(S) || node of all chunks, or nothing when S is 0)
 * A hole is a chunk of zeroes. Subtrees of zeroes alone are constants, so a 64 TiB hole costs a few dozen hashes.
 */
export const CHUNK_BYTES = 1024 * 1024;

const hash = (...parts: Uint8Array[]): Buffer => {
  const hasher = new Blake3Hasher();
  for (const part of parts) hasher.update(part);
  return hasher.digestBuffer();
};

const LEAF = 0x00;
const NODE = Buffer.from([0x01]);
const ROOT = 0x02;

export const leafHash = (bytes: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt8(LEAF);
  head.writeUInt32LE(bytes.length, 1);
  return hash(head, bytes);
};

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => hash(NODE, left, right);

export const rootHash = (sizeBytes: number, top: Uint8Array | undefined): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUInt8(ROOT);
  head.writeBigUInt64LE(BigInt(sizeBytes), 1);
  return top ? hash(head, top) : hash(head);
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
