import type { FileHandle } from 'node:fs/promises';
import { constants, open } from 'node:fs/promises';
import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import { ALIGNMENT_BYTES, isAligned } from './aligned.ts';
import { DataPathError, ioError } from './errors.ts';
import { ENXIO, libc, PUNCH_HOLE_KEEP_SIZE, ZERO_RANGE_KEEP_SIZE } from './libc.ts';

/** A local file or block device. Holes are found by SEEK_DATA / SEEK_HOLE and made by punching, so what is thin stays thin. */

export interface FileDeviceOptions {
  readonly mode: 'ro' | 'rw';
  /** Passes the page cache by for aligned requests, where the file system allows it. */
  readonly direct?: boolean;
  readonly signal?: AbortSignal;
}

export interface FileDevice extends BlockDevice {
  /** True when aligned reads and writes really pass the page cache by. */
  readonly directIo: boolean;
}

const ZERO_PIECE = Buffer.alloc(1024 * 1024);

const openDirect = async (path: string, flags: number): Promise<FileHandle | undefined> => {
  try {
    return await open(path, flags | constants.O_DIRECT);
  } catch (error) {
    // EINVAL: the file system has no direct I/O (open(2)); the caller sees it in `directIo`
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
    throw error;
  }
};

const sizeOf = async (handle: FileHandle): Promise<number> => {
  const stat = await handle.stat();
  if (stat.isFile()) return stat.size;
  // fstat says 0 for a block device; its end is its size
  const end = libc?.seek(handle.fd, 0, 'end').offset ?? -1;
  if (end < 0) throw new DataPathError('IoError', 'the size of the device cannot be found');
  return end;
};

export const openFileDevice = async (
  path: string,
  { mode, direct = false, signal }: FileDeviceOptions,
): Promise<FileDevice> => {
  signal?.throwIfAborted();
  const flags = mode === 'ro' ? constants.O_RDONLY : constants.O_RDWR;
  const buffered = await open(path, flags);
  try {
    const sizeBytes = await sizeOf(buffered);
    const isFile = (await buffered.stat()).isFile();
    const handle = direct ? await openDirect(path, flags) : undefined;
    return fileDevice({ path, sizeBytes, isFile, buffered, direct: handle });
  } catch (error) {
    await buffered.close();
    throw error;
  }
};

interface Opened {
  readonly path: string;
  readonly sizeBytes: number;
  readonly isFile: boolean;
  readonly buffered: FileHandle;
  readonly direct: FileHandle | undefined;
}

const fileDevice = (opened: Opened): FileDevice => {
  const { path, sizeBytes, buffered, direct } = opened;
  const within = (offset: number, length: number): void => {
    if (offset < 0 || length < 0 || offset + length > sizeBytes) {
      throw new DataPathError(
        'OutOfRange',
        `${path}: [${offset}, ${offset + length}) is outside of its ${sizeBytes} bytes`,
      );
    }
  };
  /** Direct where offset, length and memory are aligned; a last partial block goes through the cache. */
  const handleFor = (offset: number, memory: Uint8Array): FileHandle =>
    direct && offset % ALIGNMENT_BYTES === 0 && memory.length % ALIGNMENT_BYTES === 0 && isAligned(memory)
      ? direct
      : buffered;

  return {
    sizeBytes,
    blockSizeBytes: ALIGNMENT_BYTES,
    directIo: direct !== undefined,
    async read(offset, target, signal) {
      signal?.throwIfAborted();
      within(offset, target.length);
      await transfer('reading', path, offset, target, (position, part) =>
        handleFor(position, part).read(part, 0, part.length, position),
      );
    },
    async write(offset, source, signal) {
      signal?.throwIfAborted();
      within(offset, source.length);
      await transfer('writing', path, offset, source, (position, part) =>
        handleFor(position, part).write(part, 0, part.length, position),
      );
    },
    async writeZeroes(offset, lengthBytes, signal) {
      signal?.throwIfAborted();
      within(offset, lengthBytes);
      await zeroRange(opened, offset, lengthBytes, signal);
    },
    async flush() {
      try {
        await buffered.datasync();
      } catch (error) {
        throw new DataPathError('FlushFailed', `${path}: ${(error as Error).message}`, { cause: error });
      }
    },
    extents: (offset, lengthBytes, signal) => {
      within(offset, lengthBytes);
      return fileExtents(opened, offset, offset + lengthBytes, signal);
    },
    async close() {
      await direct?.close();
      await buffered.close();
    },
  };
};

type Io = (position: number, part: Uint8Array) => Promise<{ bytesRead?: number; bytesWritten?: number }>;

/** Goes on after a short transfer; no progress at all is an error, never a silent gap. */
const transfer = async (doing: string, path: string, offset: number, memory: Uint8Array, io: Io): Promise<void> => {
  for (let done = 0; done < memory.length; ) {
    let moved: number;
    try {
      const result = await io(offset + done, done === 0 ? memory : memory.subarray(done));
      moved = result.bytesRead ?? result.bytesWritten ?? 0;
    } catch (error) {
      throw ioError(error, `${doing} ${memory.length} bytes at ${offset} of ${path}`);
    }
    if (moved === 0)
      throw new DataPathError(
        'ShortRead',
        `${doing} at ${offset + done} of ${path}: nothing came, ${memory.length - done} bytes are missing`,
      );
    done += moved;
  }
};

const zeroRange = async (
  { path, buffered, isFile }: Opened,
  offset: number,
  lengthBytes: number,
  signal?: AbortSignal,
): Promise<void> => {
  if (lengthBytes === 0) return;
  if (isFile && libc && (await libc.fallocate(buffered.fd, PUNCH_HOLE_KEEP_SIZE, offset, lengthBytes)) === 0) return;
  if (libc && (await libc.fallocate(buffered.fd, ZERO_RANGE_KEEP_SIZE, offset, lengthBytes)) === 0) return;
  for (let done = 0; done < lengthBytes; done += ZERO_PIECE.length) {
    signal?.throwIfAborted();
    const part = ZERO_PIECE.subarray(0, Math.min(ZERO_PIECE.length, lengthBytes - done));
    await transfer('zeroing', path, offset + done, part, (position, bytes) =>
      buffered.write(bytes, 0, bytes.length, position),
    );
  }
};

async function* fileExtents(
  { buffered, isFile, path }: Opened,
  from: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Extent> {
  if (!isFile || !libc) {
    if (from < end) yield { offset: from, lengthBytes: end - from, kind: 'data' };
    return;
  }
  for (let at = from; at < end; ) {
    signal?.throwIfAborted();
    const data = libc.seek(buffered.fd, at, 'data');
    if (data.offset === -1 && data.errno !== ENXIO)
      throw new DataPathError('IoError', `looking for data at ${at} of ${path}: errno ${data.errno}`);
    const dataAt = data.offset === -1 ? end : Math.min(end, data.offset);
    if (dataAt > at) yield { offset: at, lengthBytes: dataAt - at, kind: 'hole' };
    if (dataAt >= end) return;
    const hole = libc.seek(buffered.fd, dataAt, 'hole').offset;
    const holeAt = hole === -1 ? end : Math.min(end, hole);
    yield { offset: dataAt, lengthBytes: holeAt - dataAt, kind: 'data' };
    at = holeAt;
  }
}
