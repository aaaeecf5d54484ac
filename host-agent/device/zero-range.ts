import type { ZeroWish } from '../../domain/block-device.ts';
import { throwIfAborted } from './errors.ts';
import { libc, PUNCH_HOLE_KEEP_SIZE, ZERO_RANGE_KEEP_SIZE } from './libc.ts';
import type { OpenedFile } from './open-file.ts';
import { transfer } from './transfer.ts';

/**
 * Zeroes on a file or block device, by the cheapest way that promises to read as zeroes: a punched hole (which keeps a file
 * thin), ZERO_RANGE, BLKZEROOUT, and at last writing them. Never a discard, which promises nothing.
 */
const SECTOR_BYTES = 512;
const PIECE = Buffer.alloc(1024 * 1024);

const writeZeroes = async (
  { path, buffered }: OpenedFile,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<void> => {
  for (let offset = from; offset < end; offset += PIECE.length) {
    throwIfAborted(signal);
    const memory = PIECE.subarray(0, Math.min(PIECE.length, end - offset));
    await transfer({ doing: 'zeroing', path, offset, memory }, async (position, part) => {
      return (await buffered.write(part, 0, part.length, position)).bytesWritten;
    });
  }
};

/** What is to be zero, and on which conditions. */
export interface ZeroRange extends ZeroWish {
  readonly from: number;
  readonly end: number;
}

export const ANYHOW: ZeroWish = { fast: false, allocated: false };

/** ZERO_RANGE takes the space of holes too; a punched hole gives it back. */
const zeroFile = async (opened: OpenedFile, range: ZeroRange, signal: AbortSignal | undefined): Promise<boolean> => {
  const { from, end, fast, allocated } = range;
  const { fd } = opened.buffered;
  const modes = allocated ? [ZERO_RANGE_KEEP_SIZE] : [PUNCH_HOLE_KEEP_SIZE, ZERO_RANGE_KEEP_SIZE];
  for (const mode of modes) if (await libc?.fallocate(fd, mode, from, end - from)) return true;
  if (fast) return false;
  await writeZeroes(opened, from, end, signal);
  return true;
};

/**
 * On a block device a punched hole is the kernel's promise of zeroes without writing them, and thin stays thin; BLKZEROOUT keeps
 * the space, and writes where the device has no better way.
 */
const zeroSectors = async (opened: OpenedFile, range: ZeroRange, signal: AbortSignal | undefined): Promise<boolean> => {
  const { from, end, fast, allocated } = range;
  const { fd } = opened.buffered;
  if (from === end) return !fast;
  if (!allocated && (await libc?.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, from, end - from))) return true;
  if (fast) return false;
  if (!(await libc?.zeroOut(fd, from, end - from))) await writeZeroes(opened, from, end, signal);
  return true;
};

/**
 * False when the conditions cannot be kept. Why a call refused does not matter: writing is tried last, and tells the truth about
 * a device that is full or broken.
 */
export const zeroRange = async (
  opened: OpenedFile,
  range: ZeroRange,
  signal: AbortSignal | undefined,
): Promise<boolean> => {
  const { from, end } = range;
  if (from >= end) return true;
  if (opened.kind === 'file') return zeroFile(opened, range, signal);
  // what is less than a sector at either end has to be written
  const first = Math.min(end, Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES);
  const last = Math.max(first, Math.floor(end / SECTOR_BYTES) * SECTOR_BYTES);
  if (!(await zeroSectors(opened, { ...range, from: first, end: last }, signal))) return false;
  await writeZeroes(opened, from, first, signal);
  await writeZeroes(opened, last, end, signal);
  return true;
};
