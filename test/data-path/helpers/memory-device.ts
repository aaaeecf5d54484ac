import type { BlockDevice, Extent } from '../../../domain/block-device.ts';
import { DataPathError } from '../../../host-agent/device/errors.ts';

/**
 * A thin device in memory that forgets at a crash whatever no flush has made durable. Blocks that were never written are
 * holes; zeroes that cover a whole block give it back.
 */
export const BLOCK_BYTES = 4096;

export interface MemoryDevice extends BlockDevice {
  /** What a reader sees now. */
  readonly content: Buffer;
  /** What would be left after a crash at this moment. */
  durable(): Buffer;
  /** The device after a crash. */
  crashed(): MemoryDevice;
  /** Blocks that take up space. */
  allocatedBlocks(): number;
}

interface Image {
  readonly content: Buffer;
  /** One entry for each block; 1: takes up space. */
  readonly allocated: Uint8Array;
}

const within = (sizeBytes: number, offset: number, length: number): void => {
  if (offset < 0 || offset + length > sizeBytes) throw new DataPathError('OutOfRange', `${offset} + ${length}`);
};

const apply = (image: Image, offset: number, bytes: Uint8Array): void => {
  image.content.set(bytes, offset);
  if (bytes.length > 0)
    image.allocated.fill(1, Math.floor(offset / BLOCK_BYTES), Math.ceil((offset + bytes.length) / BLOCK_BYTES));
};

const applyZeroes = (image: Image, offset: number, lengthBytes: number): void => {
  image.content.fill(0, offset, offset + lengthBytes);
  const atEnd = offset + lengthBytes === image.content.length;
  const last = atEnd ? image.allocated.length : Math.floor((offset + lengthBytes) / BLOCK_BYTES);
  const first = Math.ceil(offset / BLOCK_BYTES);
  if (last > first) image.allocated.fill(0, first, last);
};

const copyOf = ({ content, allocated }: Image): Image => ({
  content: Buffer.from(content),
  allocated: allocated.slice(),
});

function* runsOf({ allocated, content }: Image, from: number, end: number): Generator<Extent> {
  for (let at = from; at < end; ) {
    const kind = allocated[Math.floor(at / BLOCK_BYTES)];
    let block = Math.floor(at / BLOCK_BYTES);
    while (block < allocated.length && allocated[block] === kind) block++;
    const runEnd = Math.min(end, block * BLOCK_BYTES, content.length);
    yield { offset: at, lengthBytes: runEnd - at, kind: kind ? 'data' : 'hole' };
    at = runEnd;
  }
}

const deviceOf = (image: Image): MemoryDevice => {
  const kept = copyOf(image);
  let unflushed: ((target: Image) => void)[] = [];
  const change = (act: (target: Image) => void): void => {
    act(image);
    unflushed.push(act);
  };
  return {
    sizeBytes: image.content.length,
    blockSizeBytes: BLOCK_BYTES,
    content: image.content,
    async read(offset, target, signal) {
      signal?.throwIfAborted();
      within(image.content.length, offset, target.length);
      image.content.copy(target, 0, offset, offset + target.length);
    },
    async write(offset, source, signal) {
      signal?.throwIfAborted();
      within(image.content.length, offset, source.length);
      const bytes = Buffer.from(source);
      change((target) => apply(target, offset, bytes));
    },
    async writeZeroes(offset, lengthBytes, signal) {
      signal?.throwIfAborted();
      within(image.content.length, offset, lengthBytes);
      change((target) => applyZeroes(target, offset, lengthBytes));
    },
    async flush() {
      for (const act of unflushed) act(kept);
      unflushed = [];
    },
    async *extents(offset, lengthBytes) {
      yield* runsOf(image, offset, offset + lengthBytes);
    },
    async close() {},
    durable: () => Buffer.from(kept.content),
    crashed: () => deviceOf(copyOf(kept)),
    allocatedBlocks: () => image.allocated.reduce((sum, one) => sum + one, 0),
  };
};

/** `fill`: what stands in every byte, and is durable; left out: a new sparse device. */
export const memoryDevice = (sizeBytes: number, fill?: number): MemoryDevice =>
  deviceOf({
    content: Buffer.alloc(sizeBytes, fill ?? 0),
    allocated: new Uint8Array(Math.ceil(sizeBytes / BLOCK_BYTES)).fill(fill === undefined ? 0 : 1),
  });
