import { blake3 } from 'hash-wasm';

/** Format volmove-merkle-1 as its definition says, over the whole content, with another implementation of BLAKE3. */
const CHUNK_BYTES = 1024 * 1024;

const hash = async (...parts: Uint8Array[]): Promise<Buffer> => Buffer.from(await blake3(Buffer.concat(parts)), 'hex');

const leafOf = (bytes: Uint8Array): Promise<Buffer> => {
  const head = Buffer.from([0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 1);
  return hash(head, bytes);
};

const topOf = async (leaves: readonly Buffer[]): Promise<Buffer> => {
  if (leaves.length === 1) return leaves[0] as Buffer;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return hash(Buffer.from([1]), await topOf(leaves.slice(0, left)), await topOf(leaves.slice(left)));
};

export const naiveDigest = async (content: Buffer): Promise<string> => {
  const leaves: Buffer[] = [];
  for (let at = 0; at < content.length; at += CHUNK_BYTES)
    leaves.push(await leafOf(content.subarray(at, at + CHUNK_BYTES)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(content.length));
  const root = await hash(Buffer.from([2]), size, leaves.length === 0 ? Buffer.alloc(0) : await topOf(leaves));
  return root.toString('hex');
};
