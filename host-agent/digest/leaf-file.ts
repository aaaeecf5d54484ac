import { constants, type FileHandle, open } from 'node:fs/promises';
import type { LeafSink } from './recorded.ts';
import { chunkCount, HASH_BYTES } from './tree-hash.ts';

/**
 * The leaf hashes of a volume on disk, HASH_BYTES for each chunk, a chunk of zeroes being a hole of the file: so 64 TiB of
 * nothing cost nothing. It is a memory aid and is never synced: its root has to equal the digest that stands in the job, or the
 * file is void. So what could not be written here is no failure of the copy that it stands beside.
 */
export interface LeafFile extends LeafSink {
  /** Resolves when everything up to here would outlive the process. */
  handedOver(): Promise<void>;
  close(): Promise<void>;
}

const RUN_BYTES = 64 * 1024;
/** Holes that are shorter than a page of the file save no space and cost a write. */
const SHORT_HOLE = 4096 / HASH_BYTES;

export const leafFileBytes = (sizeBytes: number): number => chunkCount(sizeBytes) * HASH_BYTES;

/** Goes on at `fromChunk`; what an earlier try has left from there on is dropped. */
export const beginLeafFile = async (path: string, sizeBytes: number, fromChunk: number): Promise<LeafFile> => {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await handle.truncate(fromChunk * HASH_BYTES);
    await handle.truncate(leafFileBytes(sizeBytes));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return growing(handle, fromChunk);
};

const growing = (handle: FileHandle, fromChunk: number): LeafFile => {
  let run = Buffer.alloc(RUN_BYTES);
  let usedBytes = 0;
  let runAt = fromChunk * HASH_BYTES;
  let failed = false;
  let writing: Promise<void> = Promise.resolve();

  const send = async (bytes: Buffer, position: number): Promise<void> => {
    if (failed) return;
    try {
      await handle.write(bytes, 0, bytes.length, position);
    } catch {
      // a hole stays in its place, which makes the file void; whoever reads it finds out by the root
      failed = true;
    }
  };
  const flush = (): void => {
    if (usedBytes > 0) {
      const [bytes, position] = [run.subarray(0, usedBytes), runAt];
      writing = writing.then(() => send(bytes, position));
      run = Buffer.alloc(RUN_BYTES);
    }
    runAt += usedBytes;
    usedBytes = 0;
  };

  return {
    chunk(leaf) {
      run.set(leaf, usedBytes);
      usedBytes += HASH_BYTES;
      if (usedBytes === RUN_BYTES) flush();
    },
    zeroes(count) {
      const bytes = count * HASH_BYTES;
      if (usedBytes > 0 && count < SHORT_HOLE && usedBytes + bytes < RUN_BYTES) {
        usedBytes += bytes;
        return;
      }
      flush();
      runAt += bytes;
    },
    async handedOver() {
      flush();
      await writing;
    },
    async close() {
      flush();
      await writing;
      await handle.close();
    },
  };
};
