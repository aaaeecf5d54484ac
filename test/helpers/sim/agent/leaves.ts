import type { BlockDevice } from '../../../../domain/block-device.ts';
import { leafFileBytes } from '../../../../host-agent/digest/leaf-file.ts';
import { HASH_BYTES } from '../../../../host-agent/digest/tree-hash.ts';
import type { LeafJournal } from '../../../../host-agent/journal/leaves.ts';

/** Leaf files in memory. What was not handed over dies with the process. */
export type Leaves = Map<string, Buffer>;

const readOnly = async (): Promise<never> => {
  throw new Error('Leaves are only read.');
};

const deviceOver = (file: Buffer): BlockDevice => ({
  sizeBytes: file.length,
  blockSizeBytes: HASH_BYTES,
  async read(offset, target) {
    target.set(file.subarray(offset, offset + target.length));
  },
  write: readOnly,
  writeZeroes: readOnly,
  flush: async () => undefined,
  async *extents(offset, lengthBytes) {
    yield { offset, lengthBytes, kind: 'data' };
  },
  close: async () => undefined,
});

export const leafJournalOn = (files: Leaves): LeafJournal => ({
  async begin(jobId, sizeBytes, fromChunk) {
    const mine = Buffer.alloc(leafFileBytes(sizeBytes));
    files.get(jobId)?.copy(mine, 0, 0, fromChunk * HASH_BYTES);
    let at = fromChunk * HASH_BYTES;
    const handOver = async (): Promise<void> => void files.set(jobId, Buffer.from(mine));
    await handOver();
    return {
      chunk(leaf) {
        mine.set(leaf, at);
        at += HASH_BYTES;
      },
      zeroes(count) {
        at += count * HASH_BYTES;
      },
      handedOver: handOver,
      close: handOver,
    };
  },
  async open(jobId, sizeBytes) {
    const file = files.get(jobId);
    return file?.length === leafFileBytes(sizeBytes) ? deviceOver(file) : undefined;
  },
  async patch(jobId, chunk, leaf) {
    const file = files.get(jobId);
    if (leaf === 'zeroes') file?.fill(0, chunk * HASH_BYTES, (chunk + 1) * HASH_BYTES);
    else file?.set(leaf, chunk * HASH_BYTES);
  },
  async adopt(fromJobId, jobId) {
    const file = files.get(fromJobId);
    if (file) files.set(jobId, file);
    files.delete(fromJobId);
  },
  async forget(jobId) {
    files.delete(jobId);
  },
  async jobIds() {
    return [...files.keys()];
  },
  async keepOnly(jobIds) {
    const kept = new Set(jobIds);
    for (const jobId of [...files.keys()]) if (!kept.has(jobId)) files.delete(jobId);
  },
});
