import type { FileHandle } from 'node:fs/promises';
import type { BlockDevice } from '../../domain/block-device.ts';
import { createTurns, type InTurn } from '../in-turn.ts';
import { ALIGNMENT_BYTES, isAligned } from './aligned.ts';
import { discard } from './discard.ts';
import { DataPathError, flushError, throwIfAborted } from './errors.ts';
import { fileExtents } from './file-extents.ts';
import { type OpenedFile, openFile } from './open-file.ts';
import { transfer } from './transfer.ts';
import { ANYHOW, zeroRange } from './zero-range.ts';

/** A local file or block device. Holes are found by SEEK_DATA / SEEK_HOLE and made by punching, so what is thin stays thin. */

export interface FileDeviceOptions {
  readonly mode: 'ro' | 'rw';
  /** Passes the page cache by for aligned requests, where the file system allows it. */
  readonly direct?: boolean;
  readonly signal?: AbortSignal;
}

export interface FileDevice extends BlockDevice {
  /** True while aligned reads and writes really pass the page cache by; some file systems refuse only when it comes to it. */
  readonly directIo: boolean;
}

export const openFileDevice = async (
  path: string,
  { mode, direct = false, signal }: FileDeviceOptions,
): Promise<FileDevice> => {
  throwIfAborted(signal);
  return fileDevice(await openFile(path, { mode, direct }));
};

const outside = ({ path, sizeBytes }: OpenedFile, offset: number, lengthBytes: number): DataPathError =>
  new DataPathError('OutOfRange', `${path}: [${offset}, ${offset + lengthBytes}) is outside of its ${sizeBytes} bytes`);

const atOnce: InTurn = (act) => act();

/**
 * Copies by the processor gain nothing from each other, and side by side they keep the network's threads from running. The
 * kernel lets one write at a time through the cache into a file anyhow, and threads that wait for it are in the way.
 */
const lanes = ({ inMemory, kind, direct }: OpenedFile): { readonly reading: InTurn; readonly writing: InTurn } => {
  const inTurn = createTurns();
  return {
    reading: inMemory ? inTurn : atOnce,
    writing: inMemory || (kind === 'file' && !direct) ? inTurn : atOnce,
  };
};

const fileDevice = (opened: OpenedFile): FileDevice => {
  const { path, sizeBytes, buffered, direct } = opened;
  let directIo = direct !== undefined;
  let flushFailure: DataPathError | undefined;
  const { reading, writing } = lanes(opened);

  const within = (offset: number, lengthBytes: number): void => {
    if (offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes) return;
    throw outside(opened, offset, lengthBytes);
  };
  /** What the kernel dropped when a flush failed cannot be told from what it kept: this device takes nothing more. */
  const stillWhole = (): void => {
    if (flushFailure) throw flushFailure;
  };
  const mayChange = (offset: number, lengthBytes: number, signal: AbortSignal | undefined): void => {
    throwIfAborted(signal);
    stillWhole();
    within(offset, lengthBytes);
  };
  /** Direct where offset, length and memory are aligned; a last partial block goes through the cache. */
  const through = async (
    position: number,
    part: Uint8Array,
    io: (handle: FileHandle) => Promise<number>,
  ): Promise<number> => {
    const aligned = position % ALIGNMENT_BYTES === 0 && part.length % ALIGNMENT_BYTES === 0 && isAligned(part);
    if (!direct || !directIo || !aligned) return io(buffered);
    try {
      return await io(direct);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      directIo = false;
      return io(buffered);
    }
  };
  const zeroAs: NonNullable<BlockDevice['zeroAs']> = async (offset, lengthBytes, wish, signal) => {
    mayChange(offset, lengthBytes, signal);
    return zeroRange(opened, { from: offset, end: offset + lengthBytes, ...wish }, signal);
  };

  return {
    sizeBytes,
    blockSizeBytes: ALIGNMENT_BYTES,
    get directIo() {
      return directIo;
    },
    read: (offset, memory, signal) =>
      reading(async () => {
        throwIfAborted(signal);
        within(offset, memory.length);
        await transfer({ doing: 'reading', path, offset, memory }, (position, part) =>
          through(position, part, async (handle) => (await handle.read(part, 0, part.length, position)).bytesRead),
        );
      }),
    // asked in its turn: meanwhile it may have been aborted, or a flush have failed
    write: (offset, memory, signal) =>
      writing(async () => {
        mayChange(offset, memory.length, signal);
        await transfer({ doing: 'writing', path, offset, memory }, (position, part) =>
          through(position, part, async (handle) => (await handle.write(part, 0, part.length, position)).bytesWritten),
        );
      }),
    async writeZeroes(offset, lengthBytes, signal) {
      await zeroAs(offset, lengthBytes, ANYHOW, signal);
    },
    zeroAs,
    async trim(offset, lengthBytes, signal) {
      mayChange(offset, lengthBytes, signal);
      await discard(opened, offset, offset + lengthBytes);
    },
    async flush() {
      stillWhole();
      try {
        await buffered.datasync();
      } catch (error) {
        flushFailure ??= flushError(error, path);
        throw flushFailure;
      }
    },
    extents(offset, lengthBytes, signal) {
      within(offset, lengthBytes);
      return fileExtents(opened, offset, offset + lengthBytes, signal);
    },
    async close() {
      await direct?.close();
      await buffered.close();
    },
  };
};
