import type { BlockDevice } from '../../../domain/block-device.ts';
import { type Copied, copyDevice, REQUESTS_IN_FLIGHT } from '../../../host-agent/copy/copy.ts';
import { createBufferPool } from '../../../host-agent/device/buffer-pool.ts';
import { openFileDevice } from '../../../host-agent/device/file-device.ts';
import { digestDevice } from '../../../host-agent/digest/digest-device.ts';
import { storedLeaves } from '../../../host-agent/digest/stored-leaves.ts';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';

/** The agent's copy and its read-back, without its jobs. */
const never = new AbortController().signal;
const monotonicMs = (): number => performance.now();

export interface CopyOptions {
  readonly digest: boolean;
  /** The destination holds most of it already; otherwise it is new and empty. */
  readonly retained: boolean;
}

/** A destination that was retained is read and hashed while the source is, as its own host does it. */
const knownOf = (destination: BlockDevice, sizeBytes: number) => {
  const stored = storedLeaves(destination, sizeBytes, createBufferPool(REQUESTS_IN_FLIGHT, CHUNK_BYTES));
  return {
    destinationIsZero: false,
    destinationLeaves: (first: number, count: number, signal: AbortSignal) => stored.nodes(0, first, count, signal),
  };
};

export const copy = (
  source: BlockDevice,
  destination: BlockDevice,
  { digest, retained }: CopyOptions,
): Promise<Copied> =>
  copyDevice({
    source,
    destination,
    sizeBytes: source.sizeBytes,
    ...(retained ? knownOf(destination, source.sizeBytes) : { destinationIsZero: true }),
    // a copy that cannot do without a digest makes one, and the outcome shows it
    ...(digest ? {} : { digest: false }),
    onProgress: () => undefined,
    onCheckpoint: async () => undefined,
    buckets: [],
    whilePaused: () => undefined,
    monotonicMs,
    signal: never,
  });

/** As VerifyData does it: a fresh open past the page cache, where the file system can. */
export const readBack = async (path: string, sizeBytes: number): Promise<string> => {
  const device = await openFileDevice(path, { mode: 'ro', direct: true });
  try {
    return await digestDevice({ device, sizeBytes, onProgress: () => undefined, monotonicMs, signal: never });
  } finally {
    await device.close();
  }
};

export const openSource = (path: string): Promise<BlockDevice> => openFileDevice(path, { mode: 'ro', direct: true });
/** As the file driver opens it (docs/adr/0007). */
export const openDestination = (path: string): Promise<BlockDevice> =>
  openFileDevice(path, { mode: 'rw', direct: false });
